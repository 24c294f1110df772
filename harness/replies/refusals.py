"""Refusals: a model that declines, or says that nobody could answer, is separated from an unclear reply."""

import re

from mmbench.harness.replies.options import NONE, Named, Options

THING = r"(?:image|picture|photo|photograph|figure|visual|visuals|attachment|file|diagram|content)s?"
"""Subject of a question."""

_CANNOT = (
    r"(?:cannot|can't|can not|could not|couldn't|won't|will not|(?:'m|am|is|are|was|were|be)?\s*(?:unable|not able) to"
    r"|(?:don't|do not) have the (?:ability|capability|capacity) to|refuse to|not (?:allowed|permitted|programmed) to"
    r"|(?:not|don't|do not|wouldn't) (?:feel )?(?:be )?comfortable)"
)
_SERVICE = (
    r"(?:assist|help(?! but\b)|determine|provide|answer|process|analy[sz]e|access|tell|comply|fulfil+|recogni[sz]e"
    r"|interpret|display|engage|comment|discuss|identify(?:ing)?|make (?:a|an|any)|making|giv(?:e|ing)|say|confirm"
    r"|verify|infer|guess(?:ing)?|speculat(?:e|ing)|see what|see you|ascertain|continue|respond|open|view|load"
    r"|perceive|describe|offer|generate|(?:decide|choose|select|pick)(?! (?:between|which)))"
)
_ENGLISH = (
    r"\bas an? (?:ai|artificial intelligence|(?:large )?language model|text-based)\b",
    # Not able or not willing to do what was asked, or to look at anything.
    rf"\b(?:i|we)\b[\w' ]{{0,20}}?\s?{_CANNOT}[\w' ]{{0,15}}?\s?{_SERVICE}",
    rf"\b{_CANNOT}\s+(?:directly |actually |physically )?"
    r"(?:see|view|access|open|load|process|analy[sz]e|interpret|perceive|display)\s+"
    rf"(?:(?:the|this|that|any|your|an|attached|uploaded|provided|actual|visual|or|view|see|these)\s+){{0,4}}{THING}",
    r"\b(?:i|we) (?:don't|do not|won't|shouldn't|should not) (?:\w+ )?(?:identify|recogni[sz]e|name|guess|speculate"
    r"|make (?:assumptions|judge?ments|inferences|guesses))\b(?! an?\b)",
    r"\bi (?:must|have to|will|would)(?: \w+ly)? decline|\bi(?:'d| would) (?:rather|prefer) not|\bi prefer not to",
    r"\b(?:not|n't) (?:be )?(?:appropriate|ethical|right) (?:for me )?to|\bit (?:would be|is|'s) inappropriate\b"
    r"|\bagainst (?:my|our|the) (?:\w+ )?(?:guidelines|policy|policies|principles)",
    # Nothing to look at.
    rf"\bno {THING} (?:was|were|has|have|is|are|attached|provided|uploaded)\b",
    r"\b(?:don't|do not|didn't|did not) (?:see|have|receive|have access to|find)\s+"
    rf"(?:(?:the|any|an|access|to|your|attached|uploaded)\s+){{0,4}}{THING}(?! (?:of|with|showing))",
    r"\bplease (?:provide|upload|share|attach|describe|re-?upload|send)\b(?! (?:me )?(?:with )?(?:the |your |some )?"
    r"(?:answer )?(?:options|choices))",
    rf"\b{THING} (?:isn't|is not|wasn't|was not|didn't)"
    r" (?:visible|provided|attached|available|loading|load|accessible)",
    r"^(?:i'm sorry|i am sorry|i apologi[sz]e|my apologies|sorry|unfortunately)\b.{0,80}"
    r"\b(?:can't|cannot|can not|unable|not able|not possible|impossible|won't|don't have|do not have)",
)
# An apology alone is none: each of these says that the model cannot or will not help, tell or look.
_OTHER_LANGUAGES = (
    r"(?:无法|不能够?|没有?办法|無法)(?:直接)?(?:识别|辨认|回答|提供|查看|看到图|处理|协助|帮助|确定|判断|访问|識別|回答"
    r"|提供|查看|確定|判斷)",
    r"(?:回答|識別|特定|提供|お手伝い|お答え|画像を見る|確認|判断)(?:は|を)?(?:すること(?:は|が)?|ことが|は)?"
    r"(?:でき(?:ません|ない)|致しかねます|いたしかねます)",
    r"(?:도와|답변|식별|제공|확인|판단|대답|볼)[^.\n]{0,12}(?:수(?:가)? 없|할 수 없|드릴 수 없)",
    r"\bje ne (?:peux|suis|saurais) (?:pas )?(?:en mesure de |capable de )?"
    r"(?:vous )?(?:aider|répondre|identifier|déterminer|fournir|analyser|traiter"
    r"|voir (?:d'|les |l'|cette |votre )image)",
    r"\bno (?:puedo|soy capaz de|me es posible) (?:\w+ )?(?:ayudar|responder|identificar|determinar|proporcionar"
    r"|analizar|procesar|ver (?:la |las |esta |tu |su )?im[aá]gen)",
    r"\bnão (?:posso|consigo|sou capaz de) (?:\w+ )?(?:ajudar|responder|identificar|determinar|fornecer|analisar"
    r"|processar|ver (?:a |as |esta |sua )?image)",
    r"\bnon (?:posso|riesco a|sono in grado di) (?:\w+ )?(?:aiutar|risponder|identificar|determinar|fornir|analizzar"
    r"|elaborar|veder[ei] (?:le |l'|questa )?immagin)",
    r"\bich kann (?:\w+ ){0,4}?(?:nicht|keine?n?) (?:\w+ ){0,3}?(?:helfen|beantworten|identifizieren|erkennen, wer"
    r"|bestimmen|bilder|antwort)"
    r"|\bich kann (?:das|dieses|ihr|dein) bild (?:\w+ )?nicht|\bdabei kann ich (?:\w+ )?nicht helfen",
    r"\bik kan (?:\w+ ){0,4}?(?:niet|geen) (?:\w+ ){0,3}?(?:helpen|beantwoorden|identificeren|bepalen|afbeelding)",
    r"\bя не (?:могу|способен|в состоянии) (?:\w+ ){0,2}?(?:помочь|ответить|определить|видеть изображ|просматривать"
    r"|идентифицировать|предоставить|распозна)",
    r"\bnie (?:mogę|jestem w stanie) (?:\w+ )?(?:pomóc|odpowiedzieć|zidentyfikować|określić|zobaczyć obraz|rozpoznać)",
    r"\bkhông thể (?:\w+ )?(?:giúp|trả lời|xác định|nhận dạng|cung cấp|xem (?:hình|ảnh))",
    r"\btidak (?:dapat|bisa) (?:\w+ )?(?:membantu|menjawab|mengidentifikasi|menentukan|melihat gambar|memberikan)",
    r"(?:yardımcı olam|yanıtlayam|cevaplayam|tanımlayam|belirleyem|göremiyorum)",
    r"لا (?:أستطيع|يمكنني|أقدر)|नहीं (?:कर|दे|पहचान|देख) सकत|(?:मदद|सहायता|पहचान) नहीं (?:कर|की)",
)
_REFUSED = re.compile("|".join((*_ENGLISH, *_OTHER_LANGUAGES)), re.I)
_UNDETERMINED = re.compile(
    r"\b(?:can(?:not|'t| not) (?:be )?(?:determined?|told|tell|inferred?|infer|answered?|say|said|known|know|decided?)"
    r"|(?:unable|not able|impossible|not possible|no way|insufficient|not enough|isn't enough)"
    r" (?:to|information|data|evidence|context|detail)"
    r"|(?:not|n't) (?:\w+ ){1,3}enough (?:information|data|evidence|context|detail)"
    r"|insufficient|undetermined|undeterminable|unanswerable|not answerable|indeterminate|don't know|do not know"
    r"|not (?:given|stated|specified|mentioned|sure)|unknown|unclear|uncertain)"
    r"|(?:无法|不能|無法)(?:确定|判断|確定|判斷)",
    re.I,
)
_NOT_KNOWABLE = re.compile(r"determin|tell|enough|insufficient", re.I)


def refuses(text: str) -> bool:
    """Return whether the model declines to answer, or says that it cannot know.

    >>> [refuses(t) for t in ("I'm sorry, but I can't assist with that.", "I cannot see a dog in the image.")]
    [True, False]
    >>> [refuses(t) for t in ("Lo siento, no puedo ayudar con eso.", "Lo siento, no hay ningún perro.")]
    [True, False]
    """
    if _REFUSED.search(text[:2000]):
        return True
    return _UNDETERMINED.search(text[:300]) is not None and _NOT_KNOWABLE.search(text[:300]) is not None


def undetermined(text: str, options: Options) -> Named:
    """Return the option that says that the question cannot be answered, where the reply says so too."""
    own = frozenset(i for i, option in enumerate(options.texts) if _UNDETERMINED.search(option))
    return own if len(own) == 1 and _UNDETERMINED.search(text[:300]) else NONE
