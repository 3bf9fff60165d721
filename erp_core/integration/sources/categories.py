"""Categories for items whose source has none: by the words of their description. Pure."""

from __future__ import annotations

import re

OTHER = "Other"

# The first category with a word of the description wins, so that a christmas mug is seasonal.
_WORDS = {
    "Seasonal": "advent angel bauble baubles christmas easter egg eggs garland halloween reindeer santa snowflake"
    " snowman stocking tinsel valentine wreath xmas",
    "Party and gift wrap": "balloon balloons bunting candles cupcake gift giftwrap invitation napkins party ribbon"
    " ribbons streamers tissue wrap",
    "Bags and luggage": "backpack bag bags basket baskets luggage purse satchel shopper suitcase tote trolley washbag",
    "Toys and children": "baby children child childrens doll dolls dolly game games jigsaw kids nursery playing"
    " puzzle rocking skittles soldier teddy toy toys",
    "Stationery and cards": "book calendar card cards chalk diary eraser erasers envelope journal magnets notebook"
    " organiser pad paper passport pen pencil pencils pens postcard ruler sketchbook stamp stationery sticker stickers"
    " tape",
    "Jewellery and accessories": "apron bangle bracelet brooch charm earring earrings gloves hair hairclip hat hook"
    " keyring necklace poncho ring rings scarf slippers umbrella",
    "Lighting and candles": "candle candlestick chandelier incense lamp lantern lights light holder t-light tealight"
    " torch",
    "Kitchen and dining": "baking bottle bowl bread cake cakestand casserole coaster coasters cookie cup cups cutlery"
    " dish doily drinking egg fork glass glasses jam jar jars jug kitchen knife lunch measuring mould mug mugs pan"
    " pantry plate plates recipe saucer spoon spoons tea teacup teapot teatime tin tins towel tray",
    "Garden and outdoor": "bird birdhouse butterfly flower flowers garden gardening herb plant planter pots seeds"
    " watering windmill",
    "Home and furniture": "bathroom bed bedroom blanket box boxes cabinet chair chest clock cushion cushions doormat"
    " door doorstop drawer drawers frame knob knobs mat mirror parasol picture quilt rug shelf sign stool storage"
    " table throw wardrobe wall",
    "Decoration": "art bell block decoration decorations feather hanging heart hearts letter metal ornament photo"
    " statue tile vase wicker",
}
_CATEGORY_OF = {word: category for category, words in reversed(_WORDS.items()) for word in words.split()}
_RANK = {category: rank for rank, category in enumerate(_WORDS)}


def category_of(description: str) -> str:
    """The category of the words of a description, or `OTHER`."""
    found = {
        _CATEGORY_OF[word] for word in re.findall(r"[a-z-]+", description.lower()) if word in _CATEGORY_OF
    }
    return min(found, key=_RANK.__getitem__, default=OTHER)
