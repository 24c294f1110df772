"""Words by role of languages of which only conclusions and denials are read."""

DUTCH = {
    "answer": "antwoord, juiste antwoord",
    "is": "is",
    "not": "niet, geen, nooit",
    "not before": "niet",
    "or": "of",
    "and": "en",
    "but": "maar",
    "doubt": "misschien",
}
POLISH = {
    "answer": "odpowiedź, poprawna odpowiedź, prawidłowa odpowiedź",
    "is": "to, jest",
    "not": "nie, to nie",
    "or": "lub, albo",
    "doubt": "może",
    "but": "ale",
}
CZECH = {"answer": "odpověď, správná odpověď", "is": "je", "not": "není, ne", "or": "nebo", "doubt": "možná"}
ROMANIAN = {"answer": "răspunsul, răspunsul corect", "is": "este", "not": "nu", "or": "sau", "doubt": "poate"}
SWEDISH = {"answer": "svar, svaret, rätt svar", "is": "är", "not": "inte", "or": "eller", "doubt": "kanske"}
GREEK = {"answer": "απάντηση, σωστή απάντηση", "is": "είναι", "not": "δεν", "or": "ή", "doubt": "ίσως"}
UKRAINIAN = {"answer": "відповідь, правильна відповідь", "is": "є, це", "not": "не", "or": "або", "doubt": "можливо"}
TURKISH = {
    "answer": "cevap, doğru cevap, yanıt, cevabı, yanıtı",
    "not before": "değil, değildir",
    "or": "veya, ya da",
    "doubt": "belki, olabilir",
}
INDONESIAN = {
    "answer": "jawaban, jawabannya",
    "is": "adalah, ialah",
    "not": "bukan, tidak, bukanlah",
    "or": "atau",
    "doubt": "mungkin",
}
VIETNAMESE = {
    "answer": "đáp án, câu trả lời",
    "is": "là, đúng là",
    "not": "không, không phải, không phải là",
    "or": "hoặc",
    "doubt": "có thể, có lẽ",
}
THAI = {"answer": "คำตอบ, คำตอบที่ถูกต้อง", "is": "คือ", "not": "ไม่, ไม่ใช่", "or": "หรือ", "doubt": "อาจ"}
HEBREW = {"answer": "תשובה, התשובה, התשובה הנכונה", "is": "היא", "not": "לא, אינה", "or": "או", "doubt": "אולי"}
PERSIAN = {"answer": "پاسخ, پاسخ صحیح", "not before": "نیست", "or": "یا", "doubt": "شاید"}

REFUSALS = (
    {"can": "kan", "un": "niet, geen", "serves": "helpen, beantwoorden, identificeren, bepalen"},
    {"cannot": "nie mogę, nie jestem w stanie", "serves": "pomóc, odpowiedzieć, zidentyfikować, określić, rozpoznać"},
    {"cannot": "không thể", "serves": "giúp, trả lời, xác định, nhận dạng, cung cấp"},
    {"cannot": "tidak dapat, tidak bisa", "serves": "membantu, menjawab, mengidentifikasi, menentukan, memberikan"},
    {"declines": "yardımcı olamam, yardımcı olamıyorum, yanıtlayamam, cevaplayamam, göremiyorum, belirleyemiyorum"},
)

LATIN = (DUTCH, POLISH, CZECH, ROMANIAN, SWEDISH, TURKISH, INDONESIAN, VIETNAMESE)
