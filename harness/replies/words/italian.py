"""Italian words by role."""

WORDS = {
    "yes": "sì",
    "no": "no",
    "true alone": "vero, è vero, giusto, corretto, esatto",
    "false alone": "falso, è falso, non è vero, sbagliato, errato",
    "yes alone": "certo, certo che sì, esatto, certamente",
    "no alone": "certo che no, assolutamente no, per niente",
    "claim": "affermazione, l'affermazione, dichiarazione",
    "exists": "c'è, ci sono",
    "picture": "immagine, foto",
    "answer": (
        "opzione corretta, alternativa corretta, risposta, risposta corretta, risposta esatta, risposta giusta, "
        "soluzione, conclusione"
    ),
    "option": "opzione, lettera, alternativa, scelta",
    "is": "è, sono, era, sarebbe, mostra, vedo, c'è, ci sono, ha, sembra",
    "it": "ci sono, questo, questa, quello, quella, esso, essa, lui, lei, c'è, io, si tratta",
    "self": "io, noi",
    "choose": "scelgo, sceglierei, credo, penso, direi, seleziono, opto per",
    "right": "corretta, corretto, giusta, giusto, esatta, esatto, vera, vero",
    "wrong": "sbagliata, sbagliato, errata, errato, falsa, falso, scorretta, eliminata, non corretta",
    "not": "non, non è, non sono, non c'è, non ci sono, né, mai, senza",
    "not any": "nessun, nessuna, nessuno",
    "not before": "non è, non c'è, non sono, non ci sono",
    "unbelieved": "non credo, non penso, dubito, non direi, non è vero che, è falso che",
    "plain": "senza dubbio, non c'è dubbio, non solo, non soltanto, non è falso, nessun problema, non è sbagliata",
    "instead": "invece di, anziché, piuttosto che, a differenza di, sebbene, anche se",
    "not known": (
        "chiaro, chiara, possibile, sufficiente, sufficienti, abbastanza, determinare, determinabile, "
        "determinarlo, dire, dirlo, sapere, saperlo, applicabile, distinguere, rispondere, specificato, "
        "specificata, indicato, stabilirlo, stabilire, saprei"
    ),
    "doubt": (
        "non so, non lo so, forse, potrebbe, potrebbero, magari, può darsi, possibilmente, difficile dire, "
        "non sono sicuro, non sono sicura, non sono certo"
    ),
    "if": "se, qualora, supponendo",
    "first": "all'inizio, a prima vista, inizialmente, pensavo, ho pensato, credevo",
    "but": "ma, bensì, però, tuttavia",
    "because": "perché, poiché, dato che, mentre, siccome, in quanto",
    "so": "quindi, perciò, dunque, pertanto",
    "wait": "aspetta, aspetti, in realtà, scusa, correzione, anzi",
    "taken back": "mi sono sbagliato, mi sbagliavo, aspetta, è sbagliato, mi sono sbagliata",
    "or": "o, oppure",
    "and": "e, ed, nonché",
    "seems": "sembra, assomiglia a, somiglia a, pare",
    "adverb": "solo, soltanto, probabilmente, chiaramente, sicuramente",
    "opener": "mi dispiace, certo, certamente, purtroppo, bene, beh",
    "common": "il, lo, la, gli, un, una, uno, di, del, della, nel, nella, con, immagine, che, foto, un'immagine",
}

REFUSALS = {
    "sorry": "mi dispiace, spiacente, sono spiacente, purtroppo, scusa, scusate, scusi",
    "cannot": "non posso, non riesco a, non sono in grado di, non è possibile, non possiamo",
    "serves": (
        "aiutare, aiutarti, aiutarla, rispondere, identificare, determinare, fornire, analizzare, elaborare, "
        "riconoscere"
    ),
    "looks at": "vedere, aprire, visualizzare",
    "thing": "immagine, immagini, foto, l'immagine",
}
