"""The agent: asks a model to call tools, checks what it says, and gives an `Answer`.

It holds no tool that changes anything; the most it can do is open a proposal. Built once, shared between
threads; every question is a run with an agent principal of its own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ModelCallLimitMiddleware, ToolErrorMiddleware
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage

from copilot.agents.answer import Answer, AnswerTable, Option, Source
from copilot.agents.charts import chart
from copilot.agents.company_lexicon import cached_lexicon
from copilot.agents.guards import ModelGuard, tool_failed
from copilot.agents.interpreter.chat_model import InterpreterModel
from copilot.agents.masking import mask
from copilot.agents.memory import CONTENT, Conversation, ConversationStore, Step, Turn
from copilot.agents.rendering import Sentence, dates_of, numbers_of, render, sentences
from copilot.agents.slots import Results
from copilot.agents.untrusted import split_pasted
from copilot.tools.registry import TOOLS
from copilot.tools.structured import structured
from copilot.tools.tool import Fact, KnowledgeSearch, Run, ToolContext
from erp_core.gate.principals import Principal
from erp_core.gate.submission import Gate
from erp_core.master.queries.residency import list_residency_rules
from erp_core.master.rules.residency import LOCAL, DataStaysHere, check_any_leaving
from erp_core.settings import Settings
from erp_core.storage.engine import reading

MODEL_CALLS = 8
SECONDS = 60
QUESTION_CHARACTERS = 4_000
SHOWN_ROWS = 200
_STATUS = re.compile(r"\A\s*STATUS:\s*(answered|clarify|cannot_answer|refused)\s*\n?", re.IGNORECASE)
_STATUSES = ("answered", "clarify", "cannot_answer", "refused", "proposed", "error")

Event = dict[str, Any]


class Agent:
    """Answers questions and proposes. `model` replaces the interpreter; the interpreter stays its fall-back."""

    def __init__(
        self,
        gate: Gate,
        *,
        model: BaseChatModel | None = None,
        knowledge: KnowledgeSearch | None = None,
        memory: ConversationStore | None = None,
        model_name: str | None = None,
        seconds: float = SECONDS,
        endpoint: str | None = None,
    ) -> None:
        self.gate = gate
        self.knowledge = knowledge
        self.memory = memory or ConversationStore()
        self.seconds = seconds
        self._endpoint = endpoint
        self.lexicon = cached_lexicon(gate.engine)
        self.interpreter = InterpreterModel(lexicon=self.lexicon, today=gate.clock.today)
        self.model_name = model_name or ("interpreter" if model is None else type(model).__name__)
        middleware: list[AgentMiddleware[Any, ToolContext]] = [
            ModelCallLimitMiddleware(run_limit=MODEL_CALLS, exit_behavior="end"),
            ModelGuard(self.interpreter, may_call=self._may_call),
            ToolErrorMiddleware(tool_failed),
        ]
        self._graph: Any = create_agent(
            model or self.interpreter,
            tools=structured(TOOLS.values()),
            middleware=middleware,
            context_schema=ToolContext,
        )

    @classmethod
    def from_settings(
        cls, gate: Gate, settings: Settings, *, knowledge: KnowledgeSearch | None = None
    ) -> Agent:
        """The agent that the settings describe: a remote model where one is named, the interpreter otherwise."""
        memory = ConversationStore(Path(settings.home) / "conversations.db")
        if not settings.model:
            return cls(gate, knowledge=knowledge, memory=memory)
        return cls(
            gate,
            model=remote_model(settings),
            knowledge=knowledge,
            memory=memory,
            model_name=settings.model,
            endpoint=destination_of(settings.openai_base_url),
        )

    def _may_call(self) -> None:
        """Pass unless a rule of residency keeps data from the endpoint of the model. Raises `DataStaysHere`."""
        if self._endpoint is not None:
            with reading(self.gate.engine) as connection:
                check_any_leaving(list_residency_rules(connection), "model", self._endpoint)

    def ask(self, question: str, principal: Principal, conversation_id: str | None = None) -> Answer:
        """Answer one question for an authenticated principal. Never raises: a failure is an answer too."""
        answer: Answer | None = None
        for event in self.stream(question, principal, conversation_id):
            if event["type"] == "answer":
                answer = event["answer"]
        assert answer is not None
        return answer

    def stream(
        self, question: str, principal: Principal, conversation_id: str | None = None
    ) -> Iterator[Event]:
        """Events while the answer is made.

        ``{"type": "status", "text"}``, ``{"type": "tool", "tool", "args", "outcome"}``, ``{"type": "table",
        "table"}``, ``{"type": "sentence", "text"}``, and last ``{"type": "answer", "answer": Answer}``.
        """
        started = time.monotonic()
        conversation = conversation_id or uuid4().hex
        agent = principal if principal.is_agent else self.gate.agent_for(principal)
        own, pasted = split_pasted(question.strip()[:QUESTION_CHARACTERS])
        asked = mask(own)
        before = self.memory.get(agent.user_id, conversation)
        # Nothing says what a model has seen that asks from outside, with an agent's credential.
        tainted = before.tainted or principal.is_agent
        run = Run(question=asked, deadline=started + self.seconds, tainted=tainted)
        context = ToolContext(self.gate, agent, run, self.knowledge)
        yield {"type": "status", "text": "Reading the question"}
        messages = [*_history(before), HumanMessage(asked)]
        made: list[BaseMessage] = []
        try:
            shown = 0
            for update in self._graph.stream({"messages": messages}, context=context, stream_mode="updates"):
                made += _messages_in(update)
                while shown < len(run.outputs):
                    yield from _tool_events(run, shown)
                    shown += 1
        except Exception as error:  # nothing may leave as an exception
            answer = self._failure(error, conversation, started, run)
        else:
            answer = self._answer(made, run, asked, conversation, started, pasted)
            for sentence in sentences(answer.text):
                yield {"type": "sentence", "text": sentence}
        self._remember(agent, conversation, before, asked, made, answer, run)
        yield {"type": "answer", "answer": answer}

    def _answer(
        self,
        made: list[BaseMessage],
        run: Run,
        asked: str,
        conversation: str,
        started: float,
        pasted: Mapping[str, str],
    ) -> Answer:
        final = next(
            (one for one in reversed(made) if isinstance(one, AIMessage) and not one.tool_calls), None
        )
        said = final.additional_kwargs.get("answer", {}) if final is not None else {}
        text = str(final.text) if final is not None else ""
        if final is None or _hit_limit(final):
            said, text = (
                {"status": "error", "reason": "limit"},
                "I stopped: this question took too many steps.",
            )
        status, text = _status_of(said, text, run)
        facts: dict[str, Fact] = {name: fact for output in run.outputs for name, fact in output.facts.items()}
        passages = [one["text"] for output in run.outputs for one in output.passages]
        results = Results(run.tables, facts, passages)
        interpretation = said.get("interpretation") or ""
        free = numbers_of(f"{asked} {_remarks(run)} {_offered(said, run)}")
        dates = dates_of(f"{asked} {interpretation} {_remarks(run)} {self.gate.clock.today().isoformat()}")
        lines = [render(line, results, free, dates) for line in text.splitlines() if line.strip()]
        checked = [sentence for line in lines for sentence in line]
        shown = [
            " ".join(kept) for line in lines if (kept := [one.text for one in line if one.withheld is None])
        ]
        partial = _partial(said.get("partial"), checked, run)
        if not shown and status in ("answered", "proposed") and not run.tables:
            status, said = "cannot_answer", {**said, "reason": "unsupported_number"}
        body = "\n".join(shown) or (
            "The figures are in the table." if run.tables else "I can't support an answer with results."
        )
        if run.fell_back:
            why = "may not be asked" if run.fell_back == DataStaysHere.__name__ else "did not answer"
            body += f"\nThe configured model {why}; the built-in interpreter did."
        tables = [one for output in run.outputs if output.failure is None for one in output.tables]
        charts = [made_chart for one in tables[:3] if (made_chart := chart(one))]
        return Answer(
            status=status,  # type: ignore[arg-type]
            text=body,
            reason=said.get("reason"),
            partial=partial,
            interpretation=interpretation or None,
            query=next((output.query for output in reversed(run.outputs) if output.query), None),
            tables=tuple(_shown(one) for one in tables),
            charts=tuple(charts),
            sources=tuple(_sources(run, pasted)),
            proposals=tuple(one for output in run.outputs for one in output.proposals),
            options=tuple(Option.model_validate(one) for one in said.get("options", ())),
            tools=tuple(run.calls),
            model="interpreter" if run.fell_back or not run.language_model else self.model_name,
            as_of=next(
                (output.as_of for output in reversed(run.outputs) if output.as_of), self.gate.clock.today()
            ),
            timing=_timing(started, run),
            conversation_id=conversation,
        )

    def _failure(self, error: Exception, conversation: str, started: float, run: Run) -> Answer:
        import structlog

        structlog.get_logger("copilot.agent").error("run_failed", error=type(error).__name__)
        return Answer(
            status="error",
            text="Something went wrong while I answered; nothing was changed. Please try again.",
            reason="error",
            proposals=tuple(one for output in run.outputs for one in output.proposals),
            tools=tuple(run.calls),
            model=self.model_name,
            as_of=self.gate.clock.today(),
            timing=_timing(started, run),
            conversation_id=conversation,
        )

    def _remember(
        self,
        agent: Principal,
        conversation: str,
        before: Conversation,
        asked: str,
        made: list[BaseMessage],
        answer: Answer,
        run: Run,
    ) -> None:
        contents = {
            one.tool_call_id: str(one.content)[:CONTENT] for one in made if isinstance(one, ToolMessage)
        }
        steps = tuple(
            Step(str(call["id"]), call["name"], dict(call["args"]), contents[str(call["id"])])
            for one in made
            if isinstance(one, AIMessage)
            for call in one.tool_calls
            if str(call["id"]) in contents
        )
        turn = Turn(asked, steps, answer.text[:CONTENT])
        self.memory.put(agent.user_id, conversation, before.with_turn(turn, run.tainted))


def destination_of(base_url: str | None) -> str:
    """Where a model's endpoint lies, as rules of residency name it: its host, or `local` for this machine."""
    host = urlsplit(base_url or "https://api.openai.com").hostname or "unknown"
    return LOCAL if host in ("localhost", "127.0.0.1", "::1") else host


def remote_model(settings: Settings) -> BaseChatModel:
    """The OpenAI-compatible model of the settings."""
    from langchain_openai import ChatOpenAI
    from pydantic import SecretStr

    return ChatOpenAI(
        model=settings.model or "",
        base_url=settings.openai_base_url,
        api_key=SecretStr(settings.openai_api_key or "none"),
        temperature=0,
        timeout=30,
        max_retries=1,
        streaming=True,
    )


def _history(conversation: Conversation) -> list[BaseMessage]:
    messages: list[BaseMessage] = []
    for turn in conversation.turns:
        messages.append(HumanMessage(turn.question))
        if turn.steps:
            calls = [{"name": s.tool, "args": s.args, "id": s.id, "type": "tool_call"} for s in turn.steps]
            messages.append(AIMessage(content="", tool_calls=calls))
            messages += [ToolMessage(content=s.content, tool_call_id=s.id, name=s.tool) for s in turn.steps]
        messages.append(AIMessage(content=turn.answer))
    return messages


def _messages_in(update: Any) -> list[BaseMessage]:
    found: list[BaseMessage] = []
    for part in update.values() if isinstance(update, Mapping) else ():
        messages = part.get("messages", ()) if isinstance(part, Mapping) else ()
        found += (
            [one for one in messages if isinstance(one, BaseMessage)] if isinstance(messages, list) else []
        )
    return found


def _tool_events(run: Run, number: int) -> Iterator[Event]:
    yield {"type": "tool", **run.calls[number]}
    output = run.outputs[number]
    if output.failure is None:
        for one in output.tables:
            yield {"type": "table", "table": _shown(one)}


def _hit_limit(final: AIMessage) -> bool:
    return not final.additional_kwargs.get("answer") and "call limit" in str(final.text).casefold()


def _status_of(said: Mapping[str, Any], text: str, run: Run) -> tuple[str, str]:
    """The status as the model gave it; a proposal that was opened counts whatever it says."""
    match = _STATUS.match(text)
    status = said.get("status") or (match[1].casefold() if match else "answered")
    if match:
        text = text[match.end() :]
    if any(output.proposals for output in run.outputs):
        status = "proposed"
    elif status == "proposed" or status not in _STATUSES:
        status = "answered"
    return status, text


def _partial(given: Any, checked: list[Sentence], run: Run) -> str | None:
    parts = [str(given)] if given else []
    withheld = [one.withheld for one in checked if one.withheld]
    if withheld:
        count = "1 sentence was" if len(withheld) == 1 else f"{len(withheld)} sentences were"
        parts.append(f"{count} withheld: {'; '.join(withheld)}")
    noted = [note for output in run.outputs for note in output.notes if note not in (given or "")]
    return "; ".join(dict.fromkeys([*parts, *noted])) or None


def _offered(said: Mapping[str, Any], run: Run) -> str:
    """The names among which the interpreter lets the user choose; a language model's own are not taken."""
    if run.language_model and not run.fell_back:
        return ""
    return " ".join(f"{one['label']} {one['question']}" for one in said.get("options", ()))


def _remarks(run: Run) -> str:
    """Our own words in failures and notes, whose numbers a sentence may repeat."""
    words = [note for output in run.outputs for note in output.notes]
    words += [f"{o.failure.message} {o.failure.remedy}" for o in run.outputs if o.failure]
    return " ".join(words)


def _sources(run: Run, pasted: Mapping[str, str]) -> list[Source]:
    found: dict[tuple[str, str], Source] = {}
    for output in run.outputs:
        for one in output.sources:
            found.setdefault((one.kind, one.id), one)
        for handle, text in output.texts.items():
            source = Source(
                kind="records", id=handle, label="Text from outside", detail={"untrusted": True, "text": text}
            )
            found[source.kind, handle] = source
    for handle, text in pasted.items():
        found["records", handle] = Source(
            kind="records", id=handle, label="Pasted text", detail={"untrusted": True, "text": text[:2_000]}
        )
    return list(found.values())


def _shown(one: AnswerTable) -> AnswerTable:
    """The table as it leaves: numbers as JSON numbers, at most `SHOWN_ROWS` rows."""
    rows = tuple(tuple(_number(cell) for cell in row) for row in one.rows[:SHOWN_ROWS])
    return one.model_copy(update={"rows": rows, "cut": one.cut or len(one.rows) > SHOWN_ROWS})


def _number(cell: Any) -> Any:
    if isinstance(cell, Decimal):
        if not cell.is_finite():
            return "unbounded"
        return int(cell) if cell == cell.to_integral_value() else float(cell)
    return cell


def _timing(started: float, run: Run) -> dict[str, int]:
    tools = sum(one["milliseconds"] for one in run.calls)
    return {"total_ms": round((time.monotonic() - started) * 1000), "tools_ms": tools}


__all__ = ["Agent", "Event", "remote_model"]
