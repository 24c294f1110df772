"""Spanish words by role."""

WORDS = {
    "yes": "sí",
    "no": "no",
    "true alone": "verdadero, cierto, es verdad, es cierto, verdadera, correcto, es correcto",
    "false alone": "falso, es falso, no es verdad, no es cierto, falsa, incorrecto, es incorrecto",
    "yes alone": "si, si claro, claro que sí, así es, por supuesto",
    "no alone": "claro que no, en absoluto, para nada",
    "claim": "afirmación, enunciado, declaración",
    "exists": "hay",
    "picture": "imagen, foto",
    "answer": (
        "opción correcta, alternativa correcta, letra correcta, respuesta, respuesta correcta, solución, conclusión"
    ),
    "option": "opción, letra, alternativa",
    "is": "es, son, está, era, sería, muestra, veo, hay, tiene, parece, estoy",
    "it": "esto, este, esta, eso, ello, él, ella, hay, yo",
    "self": "yo, nosotros",
    "choose": "elijo, elegiría, creo, pienso, diría, escojo, selecciono, opto por",
    "right": "correcta, correcto, verdadera, verdadero, cierto, cierta",
    "wrong": "incorrecta, incorrecto, falsa, falso, errónea, equivocada, eliminada, no correcta",
    "not": "no, no es, no son, no está, no hay, ni, nunca, sin, tampoco, jamás",
    "not any": "ningún, ninguna, ninguno, nadie",
    "not before": "no es, no está, no son, no aparece, no hay, no existe",
    "unbelieved": "no creo, no pienso, dudo, no diría, no es cierto que, no es verdad que, es falso que",
    "plain": (
        "sin duda, no hay duda, no cabe duda, no solo, no sólo, no solamente, no es falso, no es que no, "
        "sin ninguna duda"
    ),
    "instead": "en lugar de, en vez de, a diferencia de, aunque, más que",
    "not known": (
        "claro, clara, posible, suficiente, suficientes, determinar, determinarlo, determinarse, saber, saberlo, "
        "decir, decirlo, sabe, claridad, aplica, aplicable, determinable, distinguir, responder, responderlo, "
        "afirmar, menciona, mencionado, mencionada, aprecia, especifica, especificado, certeza"
    ),
    "doubt": (
        "no sé, no lo sé, quizás, quizá, tal vez, podría, podrían, posiblemente, puede ser, puede que, "
        "difícil de decir, no estoy seguro, no estoy segura, a lo mejor, acaso"
    ),
    "if": "si, en caso de, suponiendo",
    "first": "al principio, a primera vista, inicialmente, pensé, pensaba, creía",
    "but": "sino, pero, sin embargo, no obstante",
    "because": "porque, ya que, pues, puesto que, mientras que",
    "so": "por lo tanto, así que, por tanto, entonces, por eso",
    "wait": "espera, en realidad, perdón, corrección, un momento, de hecho",
    "taken back": "me equivoqué, espera, eso es falso, eso es incorrecto, estaba equivocado, estaba equivocada",
    "or": "o, u",
    "and": "y, e, así como",
    "seems": "parece, se parece a, parecería",
    "adverb": "solo, sólo, solamente, probablemente, claramente, definitivamente",
    "opener": "lo siento, claro, por supuesto, bueno, pues, lamentablemente, desafortunadamente",
    "common": "el, la, los, las, un, una, de, del, en, con, imagen, al, que, foto",
}

REFUSALS = {
    "sorry": (
        "lo siento, lo siento mucho, lo lamento, lamento, perdón, disculpa, disculpe, lamentablemente, "
        "desafortunadamente"
    ),
    "cannot": "no puedo, no soy capaz de, no me es posible, no es posible, no podemos",
    "serves": (
        "ayudar, ayudarte, ayudarle, responder, identificar, determinar, proporcionar, analizar, procesar, reconocer"
    ),
    "looks at": "ver, abrir, mostrar",
    "thing": "imagen, imágenes, imagenes, foto, fotos",
}
