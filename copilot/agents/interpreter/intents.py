"""Kinds of question that are recognised by their wording, before any query is built."""

from __future__ import annotations

import re

_I = re.IGNORECASE

INJECTION = re.compile(
    r"\b(?:ignore|forget|disregard|override|bypass|skip|disable)\b.{0,40}\b(?:instructions?|rules?|guard ?rails?|prompts?|polic(?:y|ies)|approvals?|limits?|restrictions|checks|controls)\b"
    r"|\b(?:you are now|act as|pretend (?:to be|you)|jailbreak|developer mode|system prompt|reveal your (?:prompt|instructions))\b"
    r"|\bwithout (?:any |an? )?approval\b|\bdo not ask (?:for approval|anyone)\b",
    _I,
)
_DOCUMENT = r"(?:it|this|that|them|these|those|everything|all|proposals?|orders?|pos?\b|purchase orders?|requests?|one|first|pending|P\.?O\.?[- ]?\d|top)"
APPROVE = re.compile(
    rf"^(?:please |now |ok(?:ay)?,? |can you |could you |just |go ahead and |i want you to |yes,? )*(?:approve|authori[sz]e|sign off|green ?light|reject|decline|send back|confirm approval)\b(?!al|\w* (?:cycle|time))"
    rf"|\b(?:approve|reject|sign off(?: on)?|authori[sz]e) (?:the |my |all |this |that |every )?{_DOCUMENT}",
    _I,
)
HOW_LONG = re.compile(r"\W*how (?:long|fast|quick(?:ly)?|soon|slow(?:ly)?|many (?:hours|days))\b", _I)
PERSONAL = re.compile(
    r"\b(?:e-?mails?|e-?mail address(?:es)?|phone numbers?|telephone|home address(?:es)?|street address(?:es)?|postal address(?:es)?|credit cards?|card numbers?|passwords?|bank accounts?|iban|date of birth|birthdays?|customer names?|names? of (?:the |our |all )?customers?|personal data|salar(?:y|ies)|contact details|addresses)\b"
    r"|\bwho (?:is|are) (?:the |our )?customers?\b",
    _I,
)
FORBIDDEN = re.compile(
    r"^(?:please |now |can you |could you |just |go ahead and |i want you to )*(?:pay|delete|erase|wipe|truncate|remove|write off|void|block|unblock|deactivate|activate|overwrite|(?:refund|transfer|cancel|close|adjust|correct|post|book|receive|ship|release|move|scrap) (?:the|all|my|this|that|these|those|order|customer|po|an?|every\w*|it|them|stock|\d+)|restock the return|grant|give me (?:admin|manager)|create (?:a |an )?(?:user|supplier|item|sku|account|order for)|edit|update|modify|rename|drop (?:all |the )?(?:tables?|databases?|orders?|users?|customers?)|insert|run sql|execute)\b"
    r"|\b(?:change|set|raise|lower|increase|reduce|cut|update|drop|adjust|decrease|mark up|mark down) (?:the |our |all |its |their |list |selling )*(?:list |selling |sales )?prices?\b"
    r"|^(?:please |now |can you |could you |just |go ahead and |i want you to )*(?:change|set|raise|lower|increase|reduce|cut|update|adjust|decrease|double|halve) (?:the |our |its |their |all )*(?:reorder points?|safety stocks?|order[- ]up[- ]to|min(?:imum)?s?|max(?:imum)?s?|lead times?|stock levels?|planning \w+|service levels?|targets?|terms|forecasts?)\b|\b(?:pay|settle) (?:the |this |all |every )?(?:invoices?|bills?|supplier)\b|\bdrop table\b|\bselect \*|\bdelete from\b"
    r"|\b(?:change|set|raise|increase) (?:the |my |our )*(?:approval limits?|roles?|rights|permissions?|polic(?:y|ies)|budgets?)\b",
    _I,
)
ADVICE = re.compile(
    r"\b(?:should|shall|must|ought) (?:i|we|you) (?:to )?(?:discount|mark down|promote|raise|drop|delist|fire|hire|stop|cut|increase|reduce|lower|return|write off|scrap|move|transfer|sell|advertise|negotiate|invest|expand|close|open|launch)\b",
    _I,
)
WHAT_IF = re.compile(
    r"\b(?:what if|what would happen|what happens if (?!an?\b|the approv|no ?one|nobody)|suppose|imagine|simulate|simulation|scenario)\b",
    _I,
)
ALWAYS_OUT_OF_SCOPE = re.compile(
    r"\b(?:joke|poem|haiku|song|lyrics|weather|horoscope|translate|tell me a story|write (?:me )?(?:a |an )?(?:poem|story|essay|program|script))\b",
    _I,
)
OUT_OF_SCOPE = re.compile(
    r"\b(?:weather|joke|poem|song|lyrics|recipe|world cup|football|soccer|movie|film|president|election|capital of|translate|bitcoin|stock market|share price|horoscope|meaning of life|who won|tell me a story|write (?:me )?(?:a |an )?(?:python|code|essay|program|story|poem|haiku)|restaurant|holiday destination|news|sing)\b",
    _I,
)
GREETING = re.compile(
    r"^\W*(?:hi|hello|hey|good (?:morning|afternoon|evening)|thanks?(?: you)?|thank you|ok(?:ay)?|cheers|bye|goodbye)\b[\s!.,]*$",
    _I,
)
HELP = re.compile(
    r"\b(?:what can (?:you|i) (?:do|ask|answer)|help me get started|how (?:do|can) (?:i|you) (?:use|help)|what (?:questions|things) can|which (?:metrics|measures|figures|dimensions) (?:do you|are there|can|exist)|list (?:all |the )?(?:metrics|measures|dimensions|kpis)|what (?:metrics|measures|kpis|dimensions) (?:do you|are there|are available|can|exist)|which kpis)\b|^\W*help\W*$",
    _I,
)

_MAKE = (
    r"(?:place|raise|create|draft|draw up|make(?: out)?|put in|put through|put together|write(?: up| out)?|prepare|set up|issue|start|arrange|organi[sz]e"
    r"|initiate|trigger|lodge|file|generate|enter|get going|get ready)"
)
ORDER = re.compile(
    r"(?:^|[,;:] |\b(?:please|can you|could you|to|should|let'?s|want to|need to|go ahead and|and|then|now|us|i'?d like to|i would like to|want you to|can we|could we|shall we|should we|we should|we must|let us|pls|kindly|please,|just|you|we)[ ,]+)"
    r"(?:order|buy|purchase|procure|reorder|re-order|replenish|restock|re-stock|top up|topping up|stock up(?: on)?"
    rf"|{_MAKE} (?:(?:an?|the|another|one|us|me|new|small|quick|fresh|follow-up|replenishment) )*(?:purchase order|purchase|po|order|reorder|replenishment|requisition|buy))\b(?! (?:by|rate|count|status|value|fill|cycle|lead|volume|prices?|costs?|history|list|orders|intake|size|lines?|to (?:dispatch|ship\w*|deliver\w*|door))\b)"
    r"|\b(?:propose|suggest|submit) (?:an? |the )?(?:purchase order|po|order|purchase|reorder|replenishment order)\b|\bpropose (?:the |this |that |its )?(?:best |recommended |suggested |proposed )*(?:action|remedy|fix|it|that)\b|\bput .{1,60}\bon (?:order|an? (?:new )?(?:po|order|purchase order))\b|\bget (?:me |us )?\d+ (?:more )?(?:of|pieces|units)\b",
    _I,
)
WANTED = re.compile(
    r"\b(?:need|get|want|take|send|bring|order|buy)\b.{0,60}\d|^\W*\d.{0,80}\bneeded\b|^\W*po \d|\d+ x \w|\bx ?\d+\b|\d.{0,80}\border(?:ed)?(?: please)?\W*$|\d.{0,80}\basap\b",
    _I,
)
NEEDED = re.compile(
    r"\b(?:what(?:'s| is| we)? (?:is )?need(?:ed)?|as needed|as required|needed quantity|recommended (?:quantity|amount)|enough|as recommended|whatever (?:is|we) need)\b",
    _I,
)
RECOMMEND = re.compile(
    r"^\W*(?:should|shall|must|do) (?:i|we) (?:need to |have to )?(?:order|reorder|re-order|buy|replenish|restock|purchase)\b(?! from)|\b(?:what|how (?:much|many)|which (?:items?|skus?|products?)|when) .{0,40}\b(?:should|must|do|need to|to|ought)\b.{0,15}\b(?<!\bon )(?:order|reorder|re-order|buy|replenish|restock|purchase)\b|\b(?:replenishment|reorder|restock(?:ing)?|order(?:ing)?|purchase|buying) (?:recommendations?|suggestions?|proposals?|needs?|advice|list)\b|\brecommend(?:ed|ation)?s? .{0,20}(?:replenish|order|buy|purchase)|\b(?:reorder point|order up to|safety stock) (?:for|of)\b|\bneeds? (?:to be )?(?:reordered|replenished|restocked|reordering|restocking|replenishing|replenishment)\b"
    r"|^(?:please )?(?:restock|replenish|reorder)\b",
    _I,
)
TOP_EXCEPTION = re.compile(
    r"\bpropose (?:\w+ ){0,3}(?:action|remedy|fix|it|that)\b|\b(?:top|first|biggest|worst|most (?:urgent|expensive|important)|highest|this|that|number one|#1|second|third) (?:\w+ )?(?:exception|action|case|stockout|risk|one)\b|\bfor (?:it|this|that)\b",
    _I,
)

WHY = re.compile(
    r"^\W*(?:but |and |so )?why\b|\bexplain\b|\breason (?:for|why|behind)\b|\bhow come\b|\bwhat caused\b|\bwhat is behind\b",
    _I,
)
REASONS = re.compile(
    r"\b(?:why|explain\w*|explanation|reasons?|grounds?|how come|rationale|justif\w+|basis|causes?|causing|caused|elaborate|background|logic|clarify"
    r"|(?:what(?:'s| is| lies)?|tell me) (?:the )?(?:story|deal|matter|problem|issue)|story (?:behind|of|with|on)|(?:walk|talk|take) (?:me|us) through|shed (?:some )?light"
    r"|account for|what (?:made|makes|drives|drove|prompted|triggered|led|set off|put|brought|is behind|lies behind|'s behind|explains)|behind the|what gave rise)\b",
    _I,
)
EXCEPTION = re.compile(
    r"\b(?:exceptions?|cases?|alerts?|warnings?|alarms?|inbox|flag(?:ged|s)?|issues?|problems?|the list|listed|work ?list)\b",
    _I,
)
EXPLAIN_EXCEPTION = re.compile(
    r"\b(?:why|explain|reason|how come|what(?:'s| is| lies) (?:behind|wrong with)|what (?:triggered|caused|explains|led to|set off)|where does|tell me (?:more )?about|more about|details? (?:of|on|about)|evidence for|story behind)\b.{0,80}\b(?:exceptions?|cases?|alerts?|warnings?|alarms?|flag(?:ged)?|list|listed|here|at risk|there|ranked|appear(?:s|ing)?|inbox|urgent)\b|\bexplain (?:the )?(?:top|first|second|third|this|that|case)\b",
    _I,
)
ABOUT_A_RECORD = re.compile(
    r"\b(?:why|how come|what reason|reason)\b.{0,80}\b(?:red|flag\w*|marked|highlight\w*|worr\w+|critical|urgent|alarm\w*|warn\w*|concern\w*|list(?:ed)?|here)\b"
    r"|\banything (?:wrong|the matter|amiss|going on) with\b|\bwhat(?:'s| is) (?:the (?:matter|problem|issue|trouble)|wrong|up|going on|amiss) with\b"
    r"|\b(?:why|since when|how long|how come|what made)\b.{0,80}\bdemand\b",
    _I,
)
_DEMAND_MOVES: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "demand_spike",
        re.compile(
            r"\b(?:sell\w*|demand|orders?|sold|sales)\b.{0,30}\b(?:(?:way |far |well |much )?(?:above|over|more than|beyond) (?:normal|usual|expect\w+|the norm|average|plan)|(?:unusual|abnormal|exceptional|suspicious|strange|odd)\w* (?:well|high|strong|fast|much|many))\b|\b(?:unusual|abnormal)\w*\W(?:high|strong) demand\b|\bdemand\b.{0,60}\b(?:high|higher|up|strong|ris\w+|rose|gr[eo]w\w*|spik\w+|surg\w+|jump\w*|explod\w*|soar\w*|shot)\b",
            _I,
        ),
    ),
    (
        "demand_drop",
        re.compile(
            r"\b(?:sell\w*|demand|orders?|sold|sales)\b.{0,30}\b(?:(?:way |far |well |much )?(?:below|under|less than) (?:normal|usual|expect\w+|the norm|plan)|(?:unusual|abnormal|exceptional|suspicious|strange|odd)\w* (?:badly|poorly|low|weak|slow\w*|little|few))\b|\b(?:unusual|abnormal)\w*\W(?:low|weak) demand\b|\bdemand\b.{0,60}\b(?:low|lower|down|weak|f[ae]ll\w*|drop\w*|collaps\w+|slump\w*|declin\w*|shrunk|shrink\w*|vanish\w*)\b",
            _I,
        ),
    ),
)
KINDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, _I))
    for kind, pattern in (
        (
            "stockout_risk",
            r"\b(?:stock[- ]?out|out[- ]of[- ]stock|run(?:ning)? (?:out|low)|shortages?)(?: risks?)?\b",
        ),
        (
            "po_overdue",
            r"\b(?:overdue|past due)(?: (?:pos?|purchase orders?|orders?|deliver(?:y|ies)|lines?))?\b|\blate pos?\b",
        ),
        (
            "supplier_delay_risk",
            r"\b(?:supplier )?delay(?:ed|s)?(?: risks?)?\b|\bsuppliers? .{0,30}\b(?:late|delay\w*)\b|\blikely (?:to (?:be |come |arrive |run )?)?late\b|\bsupplier risks?\b",
        ),
        ("overstock", r"\b(?:overstock(?:ed|s)?|over-stock|excess stock|surplus)\b"),
        ("demand_spike", r"\b(?:demand )?(?:spikes?|surges?|peaks?|jumps?)\b"),
        (
            "demand_drop",
            r"\b(?:demand )?(?:drops?|slumps?|falls?|declines?|collapses?)\b|\bdropping demand\b",
        ),
    )
)
LIST_EXCEPTIONS = re.compile(
    r"\b(?:exceptions?|alerts?|open cases?|cases|inbox|work ?list|to ?do|needs? (?:my |our )?attention|urgent|most important (?:issues|problems)|what(?:'s| is) (?:wrong|burning|on fire)|should i (?:look at|work on|worry about|do first)|priorit(?:y|ies|ise|ize))\b"
    r"|\b(?:stockout|stock-out|out[- ]of[- ]stock|overstock|delay) risks?\b|\bdemand (?:spikes?|drops?|anomal(?:y|ies))\b|\b(?:overdue|past due) (?:pos?|purchase orders?|deliver(?:y|ies))\b|\b(?:biggest|worst|main|greatest|top) (?:problem|issue|worr(?:y|ies)|headache|trouble|concern)s?\b|\bsupplier delays?\b|\boverstocks\b|\b(?:above|below|over|under|more than|less than|beyond) (?:normal|usual|the norm)\b|\b(?:unusual|abnormal|exceptional|suspicious|strange|odd)\w* (?:well|badly|poorly|high|low|strong|weak|fast|slow\w*|much|many|little|few)\b(?! (?:return|margin|stock))|\bat risk of (?:stockout|delay|running out)\b",
    _I,
)

DEFINE = re.compile(
    r"\b(?:what (?:does|do)) .{2,60}\b(?:mean|stand for|include|measure|count)\b|\bdefin(?:e|ition)\b|\bhow (?:\w+ ){0,2}?(?:is|are|do you|do we|was|were|does) .{2,60}\b(?:comput|calculat|defin|measur|work(?:ed)? out|determin|derived)\w*\b|\bmeaning of\b|\bwhat counts? as\b|\bwhat is considered\b|\bformula (?:for|of|behind)\b|\bexplain (?:the )?(?:metric|measure|term|kpi)\b|\bwhat (?:exactly )?(?:is|are) (?:meant by|the (?:definition|meaning|formula) of)\b|\bwhat do you mean by\b|\bstands? for\b|\bwhat .{2,40} means?\b",
    _I,
)
EXPLAIN = re.compile(
    r"^\W*(?:(?:can|could|would|will) you )?(?:please |kindly )*(?:explain|describe|define|clarify|teach me)\b",
    _I,
)
WHAT_IS = re.compile(r"^\W*what(?:'s| is| are)(?: an?)? [\w -]{2,40}\?*$", _I)

FORECAST = re.compile(
    r"\b(?:forecast|predict|project|expect|anticipate)\w*\b|\b(?:will|going to) (?:we )?(?:sell|need|ship|be sold|be ordered|be needed|the demand)\b|\b(?:future|next (?:\w+ )?(?:week|month|quarter)s?'?) (?:demand|sales)\b|\bdemand (?:for|of) .{1,60}\bnext\b|\b(?:next|coming) (?:\w+ )?(?:weeks?|months?|quarter)\b",
    _I,
)
NOT_FORECAST = re.compile(
    r"\bforecast(?:ing)? (?:accuracy|error|bias|wape|quality|mistakes?)\b|\b(?:accura\w+|bias|error|wape|wrong\w*|(?:worst|best|badly|poorly|well)[- ]forecast\w*|too (?:high|low|much|little|optimistic|pessimistic)|enough|any good|good enough|actuals?|variances?|deviations?|gaps?|reliable|trust\w*|believe)\b|\bexpected (?:loss|receipts?)\b|\b(?:arriv\w*|deliver\w*|due|inbound|incoming|com(?:e|es|ing) in|receiv\w*|shipments?|purchase orders?|pos)\b",
    _I,
)
ASSESS = re.compile(
    r"\b(?:assess|evaluate|scorecard|score card|rate|review|judge|appraise|profile)\b|\bhow (?:reliable|good|punctual|risky|dependable|trustworthy|bad) (?:is|are|was|has)\b|\bhow (?:is|are|has|does|do|did) .{1,60}\b(?:perform|doing|deliver)\w*|\b(?:reliability|performance|track record|assessment|scorecard) (?:of|for)\b|\b(?:can|should) we (?:trust|rely on|depend on)\b|\btell me about\b|\bis .{1,50} (?:reliable|punctual|risky|a good supplier|dependable)\b|\bhow likely is .{1,60} late\b",
    _I,
)
PROPOSALS = re.compile(
    r"\b(?:proposals?|approvals?)\b.{0,40}\b(?:pending|open|waiting|wait|outstanding|there|list|my|mine|queue|status|made|rejected|executed|expired|approved)\b|\b(?:pending|open|waiting|outstanding|my|list|show|which|what|rejected|executed|expired)\b.{0,30}\b(?:proposals?|approvals)\b|\bwait(?:ing|s)? (?:for|on) (?:an? |my |the )?(?:approval|decision)\b|\bwait(?:ing|s)? (?:for|on) me\b|\bto be approved\b|\bneeds? (?:my )?(?:approval|decision)\b|\bwhat did (?:i|you) propose\b",
    _I,
)
FOR_MY_DECISION = re.compile(
    r"\b(?:for|on|needs?) my (?:approval|decision)\b|\bmy approvals\b|\bwait(?:ing|s)? (?:for|on) me\b", _I
)
PROPOSAL_STATUS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (status, re.compile(pattern, _I))
    for status, pattern in (
        ("rejected", r"\brejected|declined|turned down\b"),
        ("executed", r"\bexecuted|approved (?:proposals|so far|already)|were approved\b"),
        ("expired", r"\bexpired\b"),
        ("withdrawn", r"\bwithdrawn\b"),
        ("sent_back", r"\bsent back|returned for changes\b"),
    )
)
KNOWLEDGE = re.compile(
    r"\b(?:polic(?:y|ies)|sops?|procedures?|playbooks?|guidelines?|handbook|documentation|rules? (?:for|on|about)|allowed to|permitted|who (?:may|can|must|has to|approves?|decides?|is allowed)|how (?:do|does|should|must|can) (?:i|we|one|you|approvals?|returns?|a|the|an)\b (?!.{0,30}\b(?:sell|sold|trend|develop|perform))|how to|what (?:happens|should (?:i|we) do|do (?:i|we) do|to do)|when (?:must|should|do|does|may|can) (?:i|we|a|an|the)|separation of duties|steps? (?:for|to))\b",
    _I,
)

RECORDS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, _I))
    for kind, pattern in (
        ("po_lines", r"\b(?:po|purchase order|purchase) lines?\b|\bopen lines\b"),
        ("purchase_orders", r"\b(?:purchase orders?|pos)\b"),
        ("order_lines", r"\b(?:sales )?order lines?\b"),
        ("returns", r"\b(?:returns|rmas?|returned orders|return lines?)\b"),
        (
            "messages",
            r"\b(?:messages?|e?mails? from supplier|supplier (?:messages?|mails?)|correspondence)\b|\bwhat (?:did|does|do|has|have) .{1,50}\b(?:write|wrote|written|say|said|tell us|told us|reply|replied)\b",
        ),
        ("orders", r"\b(?:sales |customer |open |late )?orders\b|\bbackorders\b"),
        ("po_lines", r"\bdeliveries\b"),
    )
)
SHOW = re.compile(
    r"^\W*what (?:did|does|do|has|have) .{1,50}\b(?:write|wrote|written|say|said|tell us|told us|reply|replied)\b|^\W*(?:please )?(?:can you |could you )?(?:show|list|display|find|open|see|pull up|get|give me|look up|which|what are|are there|any|let me see)\b|^\W*(?:all |the |open |late |overdue |recent |latest |last |backordered |pending )*(?:purchase orders?|pos|po lines|orders|returns|order lines|messages|receipts)\b",
    _I,
)
LATE = re.compile(
    r"\b(?:late|overdue|delayed|past due|behind|should (?:already )?have (?:been|arrived|come|reached)|supposed to (?:be|have)|not (?:yet )?(?:here|arrived) (?:although|on time|in time))\b",
    _I,
)
OPEN = re.compile(
    r"\b(?:owe|owes|owed|due|expected|coming|open|outstanding|undelivered|not (?:yet )?(?:received|delivered|shipped)|unshipped|still waiting)\b",
    _I,
)
STOCK = re.compile(
    r"^\W*(?:what(?:'s| is) (?:the |our )?|show (?:me )?(?:the )?|check (?:the )?|current |the )*(?:current |present )?(?:stock|inventory|stock position|inventory position|availability|stock situation)(?: (?:level|position|situation|status))? (?:of|for|on)\b|\bhow (?:is|are) (?:the )?stock\b|\bwhere is\b.{1,60}\b(?:stock|stored)\b",
    _I,
)

FOLLOW_UP = re.compile(
    r"^\W*(?:and|now|only|just|same|also|but|instead|what about|how about|then|ok(?:ay)?,?|make (?:it|that)|do (?:that|the same|it)|as an?|show (?:that|it|this|the same|me that|them)|split|break|group|sort|order (?:it|that|them)|rank (?:them|it)|filter|exclude|excluding|without|drop|add|limit|restrict|top|bottom|by|per|for|in|with|compare(?:d)?|vs|versus|the same|(?:the )?(?:last|previous|this|past) |(?:19|20)\d\d|over|since|q[1-4]|use|switch|change|plot|chart|why|which (?:one|of)|weekly|monthly|daily|quarterly|yearly)\b|\binstead\b|\b(?:that|them|those|these|it)\b",
    _I,
)


def demand_move(text: str) -> str | None:
    """The kind of exception that the words for unusual demand name."""
    return next((kind for kind, pattern in _DEMAND_MOVES if pattern.search(text)), None)


def kind_of_exception(text: str) -> str | None:
    """The exception kind that the words name."""
    return next((kind for kind, pattern in (*_DEMAND_MOVES, *KINDS) if pattern.search(text)), None)


def record_kind(text: str) -> str | None:
    """Which kind of record the words ask for."""
    return next((kind for kind, pattern in RECORDS if pattern.search(text)), None)
