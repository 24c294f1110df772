"""Conclusion cues: the wordings by which replies introduce their conclusion, one pattern each."""

import re

_BE = r"(?:is|would be|should be|must be|will be|was|has to be|seems to be|appears to be|seems|appears)"

TURN = re.compile(
    r"\b(?:therefore|thus|so|hence|consequently|conclusion|conclude|finally|final|overall|summary"
    r"|wait|actually|correction|sorry|however|but|instead|rather|mistake|mistaken|second thought|upon|after"
    r"|change|meant|mean|best|correct|no"
    r"|re-?(?:evaluat|examin|consider|check|think|read|assess|calculat)\w*)\b"
    r"|∴|⇒|=>|因此|所以|综上|故",
    re.I,
)
"""Correction words: a later conclusion with one replaces an earlier one, without one it contradicts it."""
RETRACTED = re.compile(
    r"\b(?:wait|hold on|hmm|oops|scratch that|on second thought|i made a mistake|let me (?:re|double)-?\w*"
    r"|that(?:'s| is| was) (?:wrong|incorrect|not (?:right|correct))|i (?:was|am) (?:wrong|mistaken))\b",
    re.I,
)
"""Retraction of the answer before it."""

CUE = re.compile(
    r"\b(?:answer|choice|option|conclusion|guess|selection|pick|bet|response|prediction|alternative|match|solution"
    r"|caption|output|(?:right|correct|best) one)\b"
    r"(?!\s*(?:[(\[\"]?(?-i:[A-Z])\b|\([a-z]\)))"
    r"(?P<gap>[^.\n:?!;=]{0,120}?)"
    rf"(?:\s*(?::|=+>?|->|→|⇒)|(?:\s+(?:{_BE}|remains|here is)|'s)\b(?:\s*:)?"
    r"(?!\s+(?:that|because|correct|wrong|right|incorrect|given)\b))[\s,]*",
    re.I,
)
"""`The answer is`, `Correct option:`; what lies between the noun and its verb is the gap."""
CHOOSING = re.compile(
    r"\b(?:i|we|let's|let us|let me)\b(?P<gap>(?:'d|'ll|'m|'ve| (?!(?:the|my|doubt)\b)[a-z]{2,9}){0,4}?)\s+"
    r"(?:choose|chose|chosen|select|selected|pick|picked|answer|say|guess|think|believe|conclude|favou?r"
    r"|(?:go|going|went|stick|sticking) (?:with|for)|(?:opt|vote) for|settle (?:on|for)|bet on|lean(?:ing)? towards?"
    r"|change (?:my answer|it|that) to)\b(?: that| it's| it is|:)*\s+",
    re.I,
)
"""`I would go with`, `Let's choose`, `I think`."""
_NOUNS = (
    "答案|ค\u0e4d\u0e32ตอบ(?:ที่ถูกต้อง)?|正解|答え|回答|정답|답(?=[은:])"
    r"|应?[选選](?:择|擇)?(?![项項])|[选選][项項](?=\s*(?:应该是|应为|是|为|為|:))"
    r"|\b(?:antwort|antwoord|lösung|réponse|respuesta|resposta|risposta|opción|opção|odpowiedź|odpověď|ответ|відповідь"
    r"|cevap|yanıt|jawaban(?:nya)?|đáp án|câu trả lời|răspunsul|svar(?:et)?|απάντηση|الإجابة|الجواب|إجابة|پاسخ|תשובה"
    r"|उत्तर|जवाब)"
)
_ADJECTIVES = (
    r"\s+(?:correct[ae]?|corretta|correta|certa|giusta|esatta|bonne|juste|exacte|richtige|yang (?:benar|tepat)|corect"
    r"|(?:chính )?đúng|prawidłowa|poprawna|الصحيحة|الصحيح|صحیح|הנכונה)"
)
_VERBS = (
    r"应该是|应为|是|为|為|は|が|은|는|คือ|هي|هو|היא|:|-|\s"
    r"|\b(?:lautet|är|er|je|est|es|ist|è|é|to|adalah|ialah|là|este|είναι)(?=\s|:)"
)
_LETTER = (
    r"\b(?:la lettre|la letra|a letra|la lettera|letra|lettre|buchstabe|option|l'option|(?:la )?opción|(?:a )?opção"
    r"|вариант|pilihan|phương án|la|a|el|die|der)\s+(?=[(\"]?(?-i:[A-Z])(?!\w))"
)
FOREIGN = re.compile(rf"(?:{_NOUNS})(?:{_ADJECTIVES})?\]?\s*(?:{_VERBS})*(?:{_LETTER})?", re.I)
"""`The answer is` in other languages."""
POINTING = re.compile(
    r"\b(?:corresponds? to|match(?:es)?|points? to|leav(?:es|ing)(?: us)?(?: with)?|indicates?|suggests?|aligns? with"
    r"|consistent with|supports?|as|which is|with|is)\s+(?:only\s+)?"
    r"(?=(?:answer|option|choice)\s+[(\[\"]?[A-Za-z0-9]\b)"
    r"|\bcorresponds? to\s+(?=[(\[\"]?(?-i:[A-Z])(?!\w))",
    re.I,
)
"""`This corresponds to option`: what follows must look like a mark."""
CORRECTION = re.compile(
    r"\b(?:wait|actually|correction|sorry|scratch that|on second thought|i mean|i meant)\b[,:.! -]*"
    r"(?:(?:no|wait|actually|i meant|i mean|it should be|the answer is|it's|sorry)\b(?=\W+\w)[,:.! ]*){0,3}",
    re.I,
)
"""`Wait, actually`: what follows counts if it names an option."""
CONSEQUENCE = re.compile(
    r"(?:(?<=[.!?,;\n] )|(?<=\n)|^|(?<=\band ))"
    r"(?:therefore|thus|hence|so|consequently|accordingly|as a result|in conclusion|in summary|to sum up|overall"
    r"|to conclude|in short|finally|based on this|ultimately|all in all|as (?:i )?said)\b[,:]?\s+"
    r"|\bleav(?:es|ing)(?: us)?(?: with| only| just)*\s+|[∴⇒]\s*|=>\s*|因此[,:]?|所以[,:]?|故",
    re.I,
)
"""`Therefore`, `which leaves`: what follows counts if it names an option."""
DENIED_AHEAD = re.compile(
    r"(?:\b(?:not|never|hardly|cannot)|n't)\s+(?:(?:\w+\s+){0,2}?(?:think|believe|say|sure|certain|convinced|agree|mean"
    r"|claim|guess|suggest|see how|see why|the case|true|correct|like|seem|appear)\b[^.,;:!?\n]{0,40}|\w+\s+)?$"
    r"|(?<!no )(?<!not )(?<!n't )\b(?:doubt|doubtful|unlikely|improbable|impossible|untrue|false)\b[^.,;:!?\n]{0,40}$",
    re.I,
)
"""A denial that governs the cue after it: `I don't think that`, `I doubt that`."""
PRIOR = re.compile(r"\b(?:first|initial|original|earlier|previous)\s$", re.I)
"""Announcement of an answer that was given up: `my first guess was`."""
_HELD = (
    rf"{_BE}\s+(?:(?:likely|clearly|definitely|indeed|probably|therefore|thus|most likely|also)\s+)?"
    r"(?:the |my |our )?(?:(?:most|only|single)\s+)?"
    r"(?:correct|right|best|accurate|appropriate|likely|suitable|fitting|answer|true|one that)\b"
    r"(?!\s+(?:in|about|that|color))"
)
VERDICT = re.compile(
    r"(?:^|(?<=[.,:;!?\n-] )|(?<=[.\n])"
    r"|(?<=\s)(?=\([A-Z]\) )"
    r"|\b(?i:so|thus|therefore|hence|only|that|think|believe|making|and|but|while|conclude|then)\s)"
    r"(?:(?i:option|choice|answer|statement|letter)\s+)?[(\[\"']?(?P<mark>[A-Z])(?![\w])[)\]\"'.:]*"
    r"(?P<own>(?:(?! (?:is|are|was|[A-Z])\b)[^.;\n]){0,100}?)[,:)\s-]+"
    rf"(?:{_HELD}|the (?:correct|right|best) (?:answer|option|choice)|fits\b|matches\b"
    r"|best (?:fits|describes|matches|answers|represents|explains)|(?:this )?is correct\b"
    r"|(?i:correct|right|true|yes)(?=[\s.!,;:)]|$)(?!\s+(?:answer|option|choice|in|about|that|side|hand))|[✓✔✅]"
    r"|(?:est|es|è|é|ist) (?:la |a )?(?:correct[ae]?|corretta|correta|richtig|exacte|juste)\b)",
)
"""`C fits best`, `**C. bird**: correct`: a mark, perhaps its text, and that it holds."""
CHINESE_VERDICT = re.compile(
    r"(?<![A-Za-z和与及或、,])(?<![和与及或、,] )(?P<mark>[A-Z])[)\]\"]?\s*(?:选项)?\s*(?:是|为)?"
    r"\s*正确(?:答案|选项|的|\.|$)"
)
"""`选项B是正确的`."""
PLACE_VERDICT = re.compile(
    r"\b(?P<text>the (?:first|second|third|fourth|fifth|last)"
    r" (?:option|choice|answer|one|of the (?:\w+ )?(?:options|choices|answers)))\s+"
    rf"(?:{_HELD}|fits|matches)",
    re.I,
)
"""`The second option is correct`."""
TEXT_VERDICT = re.compile(
    r"(?P<text>[^.\n;?!]{1,120}?)\s+(?:is|are|would be|seems to be|appears to be)\s+(?:the |my )?(?:most )?"
    r"(?:correct|right|best|likely|appropriate|final)?\s*(?:answer|option|choice)(?=[\s.,!)]|$)(?!\s+(?:to|is)\b)",
    re.I,
)
"""`Dog is the right answer`."""
POLAR_VERDICT = re.compile(r"(?<!say)(?<!says)(?<!reads):\s+(?P<word>yes|no)\b(?=\s*(?:[,.!\n]|$))", re.I)
"""`Question 3: yes`."""
TRUTH = re.compile(
    r"\b(?:(?:statement|claim|sentence|caption|assertion|proposition|hypothesis|description)\b"
    r"(?P<gap>(?:\s*\"[^\"\n]{1,200}\")?(?:(?! is\b)[^.,;:?!\"\n]){0,60}?|\s+that\s[^.,;:?!\"\n]{1,100}?)"
    r"|it|that|this)"
    r"(?:\s+(?:is|was)|'s)(?P<not>n't| not)?\s+(?:(?:therefore|thus|clearly|indeed|definitely|actually)\s+)?"
    r"(?P<word>true|correct|accurate|false|incorrect|untrue|inaccurate|wrong)\b"
    r"(?=\s*(?:[.,;:!)\n]|$|(?:because|since|as|for|in|given|according)\b))",
    re.I,
)
"""`The statement is not true`."""
LEADING = re.compile(
    r"(?i:(?:both|either) )?(?i:(?:options?|choice|answer|caption|output|description|sentence|statement) )?"
    r"(?P<open>[(\[{<\"']*)(?P<mark>[A-Za-z]|\d{1,3})(?P<close>[)\]}>\"']*)"
    r"(?P<after>\s*[.:;)\-]+(?=\s|$|[A-Z(])|\s*,|\s*\n|\s*$"
    r"|\s+(?=because|since|as\b|is the|it is\b|instead of|rather than|over\b|not\b|\())?",
)
"""A mark at the start of a phrase, and what sets it off from a word."""
MORE = re.compile(
    r"\s*(?:,|/|&|\+|\(?(?:and|or|nor)\b)\s*(?:and |or |then )?(?:maybe |possibly |perhaps )?"
    r"(?:option |choice )?[(\[\"']*(?P<mark>[A-Z]|\d{1,2})\b(?!')[)\]\"']*"
    r"|\s*\((?P<set>[A-Z])\)"
)
"""A further mark joined to the one before."""
CUT = re.compile(
    r"\s*(?:,|;|:|\s-\s|\(|\b(?:because|since|as|due to|which|where|given|based on|for|with|in|and the|that)\b)", re.I
)
"""Boundary between the words that name an option and their explanation."""
REJECTED = re.compile(r"\W*(?:is )?(?:incorrect|wrong|false)\b(?!\s*:)", re.I)
"""Retraction of the mark before it."""
REASON = re.compile(r"[,\s]*(?:because|since|due to)\b", re.I)
"""Opening of an explanation, in which another option is named only to compare."""
SET_OFF = re.compile(r"(?:yes|no)\s*[,:.!]", re.I)
"""A yes or no and nothing else before its comma."""
DISMISSED = re.compile(
    r"\s*(?:is|are|seem|can|do|does|all)\b(?:\s+\w+){0,3}?"
    r"\s+(?:not|wrong|incorrect|false|impossible|implausible|eliminated|ruled|excluded|out)\b|\s*\w+n't\b",
    re.I,
)
"""Denial of joined marks: none of them holds."""
MOST_CUES = 12
"""Only the last cues of a kind are read: a reply with more repeats itself, and reading one is costly."""
SENTENCE_START = re.compile(r"\n|[.!?] ")
"""Start of the sentence before a cue."""
JOINED = re.compile(r"\b[A-Z][)\]]?,? and $")
"""A mark and an `and`: the mark after it is not alone."""
CONDITION = re.compile(
    r"\W*(?:if|assuming|suppose|unless)\b(?! (?:we|you|i|one|forced)\b)(?!.*\b(?:so|therefore|thus|hence)\b)", re.I
)
"""A sentence that says what the answer would be."""
CLAUSE_START = re.compile(r"\n|[.,;:] |\bbut\b")
"""Start of the clause before a cue."""
COPULA = re.compile(r"(?:the|this|these|that|it)\b[^.,;:?!]{0,80}?\b(?:is|are|was|were)\s+", re.I)
"""`The animal in the picture is`."""
UNSAID = re.compile(
    r"\b(?:not|n't|never|wrong|incorrect|isn't|no|other|another|if|whether|why|how|suppose|assum\w+)\b", re.I
)
"""Words that cancel a cue."""
UNDECIDED = re.compile(
    r"\b(?:need|analy[sz]e|determine|let's|look|consider|was (?:going|about) to|almost|nearly)\b", re.I
)
"""Words that say that the answer is still sought, or was not given."""
LISTED = re.compile(r"(?:^|(?<=[\s,;]))[(\[]?([A-Z])[)\].:]+[)\]]*\s+(?=\S)")
"""A mark and its point or bracket, as in a list."""
ITEMS = re.compile(r"1\s*[.):][^\n]*\n2\s*[.):]")
"""A numbered list from its start, which opens with no answer."""
STRANGER = re.compile(r"[(\[\"']*(?:[A-Z]|-?\d[\d.,]*)[)\]\"']*[.,;:!]*\s*(?:$|\n)")
"""A mark or number and nothing else."""
