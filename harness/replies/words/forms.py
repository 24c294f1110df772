"""Forms of colours and other adjectives, and of units, that mean what their first form means."""

ENDINGS = (
    ("- e er es en em", "rot blau grün schwarz weiß gelb grau braun groß klein rund eckig"),
    ("- e s es", "vert bleu noir brun gris rond carré grand petit"),
    ("o a os as", "roj negr blanc amarill morad pequeñ redond cuadrad vermelh pret branc amarel rox quadrad"),
    ("o a i e", "ross ner giall rotond"),
    ("ый ая ое ые ого ой", "красн зелен черн бел желт сер фиолетов оранжев розов кругл"),
    ("ий яя ее ие его ей", "син"),
    ("ा ी े", "नील हर काल पील"),
)
"""Endings and the stems that take them."""

FORMS = (
    "blanc blanche blancs blanches",
    "violet violette violets violettes",
    "bianco bianca bianchi bianche",
    "أحمر حمراء الأحمر الحمراء",
    "أزرق زرقاء الأزرق الزرقاء",
    "أخضر خضراء الأخضر الخضراء",
    "أسود سوداء الأسود السوداء",
    "أبيض بيضاء الأبيض البيضاء",
    "أصفر صفراء الأصفر الصفراء",
)

UNITS = (
    "km kilometer kilometre",
    "m meter metre",
    "cm centimeter centimetre",
    "mm millimeter millimetre",
    "g gram",
    "kg kilogram",
    "ml milliliter millilitre",
    "l liter litre",
    "s sec second",
    "min minute",
    "h hr hour",
    "ft foot feet",
)
"""After a number alone."""
