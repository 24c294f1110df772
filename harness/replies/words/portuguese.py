"""Portuguese words by role."""

WORDS = {
    "yes": "sim",
    "no": "não",
    "true alone": "verdadeiro, certo, é verdade, verdadeira, correto, está correto",
    "false alone": "falso, é falso, não é verdade, errado, falsa, incorreto, está errado",
    "yes alone": "claro, claro que sim, com certeza",
    "no alone": "claro que não, de jeito nenhum",
    "claim": "afirmação, enunciado, declaração",
    "exists": "há",
    "picture": "imagem, foto",
    "answer": (
        "alternativa correta, opção correta, letra correta, resposta, resposta correta, resposta certa, solução, "
        "conclusão"
    ),
    "option": "opção, letra, alternativa",
    "is": "é, são, está, era, seria, mostra, vejo, há, tem, parece, estou",
    "it": "isto, isso, este, esta, esse, essa, ele, ela, há, eu, trata-se",
    "self": "eu, nós",
    "choose": "escolho, escolheria, acho, acredito, penso, diria, seleciono, opto por",
    "right": "correta, correto, certa, certo, verdadeira, verdadeiro",
    "wrong": "incorreta, incorreto, errada, errado, falsa, falso, eliminada",
    "not": "não, não é, não são, não está, não há, nem, nunca, sem, jamais, tampouco",
    "not any": "nenhum, nenhuma, ninguém",
    "not before": "não é, não está, não são, não aparece, não há, não existe",
    "unbelieved": "não acho, não acredito, não creio, duvido, não diria, não é verdade que, é falso que",
    "plain": "sem dúvida, não há dúvida, não só, não apenas, não somente, não é falso, sem dúvidas",
    "instead": "em vez de, ao invés de, no lugar de, ao contrário de, embora",
    "not known": (
        "claro, clara, possível, suficiente, suficientes, determinar, determinado, saber, dizer, certeza, "
        "aplicável, distinguir, responder, especificado, especificada, mencionado, afirmar"
    ),
    "doubt": (
        "não sei, talvez, poderia, poderiam, possivelmente, pode ser, difícil dizer, não tenho certeza, quem sabe, "
        "não sei se"
    ),
    "if": "se, caso, supondo",
    "first": "no início, à primeira vista, inicialmente, pensei, achei",
    "but": "mas, mas sim, porém, contudo, entretanto, no entanto",
    "because": "porque, pois, já que, enquanto, uma vez que",
    "so": "portanto, logo, assim, então, por isso",
    "wait": "espere, espera, na verdade, desculpe, correção, aliás",
    "taken back": "me enganei, eu errei, espere, espera, isso está errado, estava errado, estava errada",
    "or": "ou",
    "and": "e, bem como",
    "seems": "parece, parece-se com",
    "adverb": "só, somente, apenas, provavelmente, claramente, definitivamente",
    "opener": "desculpe, desculpa, claro, bem, infelizmente",
    "common": "um, uma, os, as, do, da, dos, das, de, em, no, na, com, imagem, que, foto",
}

REFUSALS = {
    "sorry": "desculpe, desculpa, desculpem, me desculpe, sinto muito, lamento, infelizmente, peço desculpas",
    "cannot": "não posso, não consigo, não sou capaz de, não é possível, não podemos",
    "serves": "ajudar, ajudá-lo, responder, identificar, determinar, fornecer, analisar, processar, reconhecer",
    "looks at": "ver, abrir, visualizar",
    "thing": "imagem, imagens, foto, fotos",
}
