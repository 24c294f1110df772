"""Number words of each language, and the words that go with numbers."""

NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen"
    " eighteen nineteen",
    "- - zwei drei vier fünf sechs sieben acht neun zehn",
    "- - deux trois quatre cinq - sept huit - dix",
    "- - - tres cuatro cinco seis siete ocho nueve diez",
    "- - dois três quatro - - - oito nove dez",
    "- - - tre quattro cinque - sette otto - dieci",
    "- - два три четыре пять шесть семь восемь девять десять",
    "- - اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة عشرة",
    "- - - तीन चार पाँच छह सात आठ नौ दस",
    "- - 二 三 四 五 六 七 八 九 十",
    "- - 两",
)
"""From zero on; without those that mean something else in another language: `due`, `dos`, `neuf`, `sei` and `दो`."""

ALONE = (
    "",
    "uno una um uma un une eins ein eine один одна 一 واحد واحدة एक 하나 ひとつ 一つ",
    "dos due duas две اثنتان اثنين दो 둘 ふたつ 二つ",
    "셋 三つ",
    "넷 四つ",
    "다섯 五つ",
    "sei 여섯",
    "sete 일곱",
    "여덟",
    "neuf 아홉",
    "열",
)
"""From zero on, words that are a number where nothing else is said."""

TENS = "twenty thirty forty fifty sixty seventy eighty ninety"

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")

MAGNITUDES = (
    "hundred hundreds thousand thousands million millions billion billions trillion dozen dozens lakh crore"
    " hundert tausend millionen milliarden dutzend cent cents mille milliers milliard milliards"
    " cien cientos mil miles millón millones cem centos milhão milhões cento mila milione milioni miliardi"
    " сто сот тысяча тысячи тысяч миллион миллиона миллионов مئة مائة ألف آلاف مليون ملايين सौ हज़ार हजार लाख करोड़"
    " 百 千 万 萬 亿 億 만 천 백 억"
)
"""Words that make a number the beginning of a larger one: `three hundred` is no `3`."""

COUNTS = "is only exactly just are see shows has contains with count counted it's there's and"
"""Words after which `one` is a number."""

COUNTED = (
    "option choice answer number figure image step question caption output sentence statement # page least most "
    "than half"
)
"""Words after which a number is a name."""
