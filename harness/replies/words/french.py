"""French words by role."""

WORDS = {
    "yes": "oui, ouais",
    "no": "non",
    "true alone": "vrai, c'est vrai, exact, c'est exact, c'est correct",
    "false alone": "faux, c'est faux, pas vrai, ce n'est pas vrai, inexact",
    "yes alone": "si, bien sûr, bien sûr que oui, tout à fait, exactement, absolument",
    "no alone": "pas du tout, absolument pas, bien sûr que non",
    "claim": "affirmation, l'affirmation, énoncé, l'énoncé, phrase",
    "exists": "il y a, on voit",
    "picture": "image, l'image, photo",
    "answer": (
        "bonne option, option correcte, bon choix, réponse, bonne réponse, réponse correcte, solution, conclusion"
    ),
    "option": "option, lettre, choix, proposition",
    "is": "on voit, est, sont, c'est, était, serait, montre, voit, il y a, a, semble, représente, suis",
    "it": "il y a, on voit, il, elle, c'est, ce, ceci, cela, ça, on, je, ils, elles",
    "self": "je, nous",
    "choose": "choisis, choisirais, pense, dirais, crois, opte pour, sélectionne",
    "right": "correcte, correct, juste, exacte, exact, vrai, vraie, bonne",
    "wrong": "incorrecte, incorrect, fausse, faux, inexacte, erronée, éliminée, pas correcte, pas juste",
    "not": (
        "n'est, n'est pas, n'y a, n'y a pas, n'a pas, ne, pas, pas un, pas une, n'a, jamais, ni, sans, n'était, ce "
        "n'est pas, non pas, n'ai"
    ),
    "not any": "aucun, aucune",
    "not before": "n'est, n'est pas, ne",
    "unbelieved": "je ne pense pas, je ne crois pas, je doute, je ne dirais pas, n'est pas vrai que, est faux que",
    "plain": (
        "sans doute, aucun doute, sans aucun doute, pas seulement, pas de problème, pas de souci, pas faux, pas que, "
        "ne que"
    ),
    "instead": "au lieu de, plutôt que, contrairement à, bien que, malgré, à la place de",
    "not known": (
        "clair, claire, possible, assez, suffisamment, suffisant, déterminer, déterminé, déterminable, dire, "
        "savoir, certain, applicable, répondre, précisé, précisée, mentionné, mentionnée, indiqué"
    ),
    "doubt": (
        "je ne sais pas, ne sais pas, peut-être, peut être, pourrait, pourraient, possiblement, soit, difficile à "
        "dire, pas sûr, pas certain, incertain, éventuellement, aucune idée"
    ),
    "if": "si, s'il, s'ils, à condition, au cas où",
    "first": "au début, à première vue, d'abord, au départ, pensais, j'ai cru",
    "but": "mais, cependant, toutefois, pourtant",
    "because": "car, parce que, puisque, tandis que, alors que, parce qu'il, parce qu'elle",
    "so": "donc, ainsi, par conséquent, alors",
    "wait": "attendez, attends, en fait, en réalité, pardon, correction, désolé",
    "taken back": "je me suis trompé, c'est faux, attendez, attends, c'était faux, je me trompe",
    "or": "ou",
    "and": "et, ainsi que",
    "seems": "ressemble à, ressemble, semble, a l'air",
    "adverb": "seulement, probablement, clairement, certainement",
    "opener": "désolé, je suis désolé, bien sûr, malheureusement, eh bien, bon",
    "common": "le, la, les, un, une, des, du, de, sur, dans, avec, l'image, image, cette, à, au",
}

REFUSALS = {
    "sorry": (
        "désolé, désolée, je suis désolé, je suis désolée, je suis vraiment désolé, je regrette, navré, "
        "malheureusement, pardon"
    ),
    "cannot": (
        "ne peux pas, ne peux, ne suis pas en mesure de, ne suis pas capable de, ne saurais, impossible de, ne puis"
    ),
    "serves": "aider, répondre, identifier, déterminer, fournir, analyser, traiter, reconnaître",
    "looks at": "voir, afficher, ouvrir, consulter",
    "thing": "image, images, d'images, l'image, photo, photos, d'image",
}
