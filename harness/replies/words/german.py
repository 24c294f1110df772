"""German words by role."""

WORDS = {
    "yes": "ja, jawohl",
    "no": "nein, nö, nee",
    "true alone": "wahr, richtig, stimmt, das stimmt, das ist richtig, das ist wahr, korrekt",
    "false alone": "falsch, stimmt nicht, das stimmt nicht, das ist falsch, unwahr, nicht wahr",
    "yes alone": "doch, genau, natürlich",
    "claim": "aussage, behauptung",
    "exists": "es gibt, da ist, ich sehe",
    "picture": "bild, foto",
    "answer": "richtige option, korrekte antwort, richtige lösung, antwort, lösung, richtige antwort, fazit, ergebnis",
    "option": "option, buchstabe, auswahl, möglichkeit",
    "is": (
        "es gibt, da ist, ich sehe, ist, sind, war, lautet, wäre, zeigt, sieht, hat, handelt, befindet, scheint, "
        "gibt, bin"
    ),
    "it": "es gibt, da ist, ich sehe, es, das, dies, dieses, er, sie, man, ich, da",
    "self": "ich, wir",
    "choose": "wähle, nehme, denke, glaube, meine, sage, vermute, würde sagen, tippe auf, entscheide mich für",
    "right": "richtig, korrekt, stimmt, zutreffend",
    "wrong": "falsch, unrichtig, inkorrekt, stimmt nicht, nicht richtig, nicht korrekt, ausgeschlossen",
    "not": "nicht, kein, keine, keinen, keinem, keiner, keines, nie, niemals, weder, noch, ohne",
    "not before": "nicht",
    "unbelieved": "ich glaube nicht, ich denke nicht, bezweifle, glaube ich nicht, nicht wahr dass",
    "plain": (
        "nicht nur, kein zweifel, keine frage, zweifellos, ohne zweifel, kein problem, keine ahnung, noch ein, "
        "noch eine, nicht falsch, nicht dass, ganz sicher"
    ),
    "instead": "anstatt, statt, anders als, im gegensatz zu, obwohl",
    "not known": (
        "klar, möglich, genug, genügend, ausreichend, bestimmen, bestimmbar, sagen, feststellen, beurteilen, "
        "bekannt, beantworten, beantwortet, anwendbar, entscheiden, ersichtlich, angegeben, erwähnt"
    ),
    "doubt": (
        "weiß nicht, ich weiß es nicht, vielleicht, möglicherweise, eventuell, könnte, könnten, wahrscheinlich "
        "nicht, ob, unklar, nicht sicher, unsicher, entweder, schwer zu sagen, dürfte, nicht erkennbar, nicht "
        "eindeutig, nicht sicher zu, keine aussage, weiß ich nicht"
    ),
    "if": "wenn, falls, angenommen, sofern",
    "first": "zuerst, zunächst, anfangs, auf den ersten blick, zuerst dachte, dachte",
    "but": "sondern, aber, jedoch, doch",
    "because": "weil, da, denn, während",
    "so": "also, daher, deshalb, folglich, somit, demnach, deswegen",
    "wait": "moment, warte, halt, eigentlich, korrektur, entschuldigung, tatsächlich",
    "taken back": (
        "ich habe mich geirrt, das ist falsch, das war falsch, moment, warte, das stimmt nicht, ich lag falsch"
    ),
    "or": "oder, bzw",
    "and": "und, sowie, sowohl",
    "seems": "sieht aus wie, sieht aus, scheint, ähnelt, wirkt wie",
    "adverb": "nur, wahrscheinlich, sicherlich, definitiv, eindeutig",
    "opener": "leider, tut mir leid, es tut mir leid, nun, gut, gerne, natürlich",
    "compound": "nein danke",
    "common": "der, den, dem, ein, eine, einen, einer, auf, mit, im, bild, von, zu, und, zum, zur, links, rechts, foto",
}

REFUSALS = {
    "sorry": "tut mir leid, es tut mir leid, leider, entschuldigung, tut mir wirklich leid",
    "can": "kann",
    "un": "nicht, kein, keine, keinen",
    "serves": (
        "helfen, beantworten, identifizieren, bestimmen, erkennen, antworten, beurteilen, antwort geben, unterstützen"
    ),
    "looks at": "sehen, anzeigen, öffnen, betrachten, erkennen, verarbeiten",
    "thing": "bild, bilder, foto, fotos, datei",
}
