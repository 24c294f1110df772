"""English words by role; `lexicon` says what each role means."""

WORDS = {
    "yes": "yes, yeah, yep, yup",
    "no": "no, nope, nah",
    "yes alone": (
        "affirmative, indeed, indeed there is, indeed it is, absolutely, definitely, certainly, of course, "
        "i think so, i believe so, it is, it does, there is, there are, they are, he is, she is, they do, he does, "
        "she does"
    ),
    "no alone": (
        "negative, no way, not at all, absolutely not, definitely not, certainly not, of course not, never, "
        "not really, not, not that i can see, not exactly, i don't think so, i do not think so, i doubt it, i doubt "
        "that, it isn't, it is not, "
        "it doesn't, it does not, there isn't, there aren't, they aren't, he isn't, she isn't, unfortunately not"
    ),
    "exists": "there is, there's, i see, i can see, we see, we can see",
    "here": (
        "in image, in picture, in photo, in scene, in this image, in this picture, in this photo, in this scene, "
        "visible, present, shown, depicted, here, visible in image, present in image, visible in picture"
    ),
    "not known": (
        "clear, sure, certain, possible, enough, specified, known, mentioned, stated, provided, provide, give, "
        "offer, specify, mention, indicate, state, allow, determine, determined, tell, say, answered, identified, "
        "necessarily, knows, suggests, suggest"
    ),
    "which": "which, who, whose, which is, who is",
    "sees": "see, find, spot, observe, detect, identify, notice",
    "picture": "image, images, picture, pictures, photo, photos, photograph, file, attachment",
    "true alone": (
        "true, correct, right, that's right, that's correct, that's true, that is right, that is correct, that is "
        "true, not false, not wrong, not incorrect"
    ),
    "false alone": (
        "false, incorrect, wrong, not true, not correct, not right, that's wrong, that is wrong, that's incorrect, "
        "that is incorrect, that's not correct, that is not correct, that's not right, that is not right"
    ),
    "answer": (
        "answer, my answer, final answer, ans, conclusion, guess, selection, pick, bet, response, prediction, match, "
        "solution, output, correct one, right one, best one, remaining one, correct, right answer, correct answer, "
        "best answer, right option, right choice, correct option, correct choice, best option, best choice"
    ),
    "option": "option, choice, letter, caption, alternative, sentence, statement, candidate, output",
    "is": (
        "is, are, was, were, be, it's, that's, this's, there's, he's, she's, they're, what's, who's, remains, lies, "
        "becomes, would be, should be, must be, will be, has to be, seems, appears, seems to be, appears to be, "
        "here is, looks like, look like, looks, resembles, shows, show, depicts, contains, has, have, does, do, did, "
        "can, could, says, features, i can see, we can see, there is, is answer, answer's, choice's, option's, i'm, "
        "equals, means, suggests, i see, we see, fits, matches"
    ),
    "it": (
        "it, this, that, these, those, they, he, she, there, it's, that's, they're, there's, he's, she's, i, we, "
        "i'd, i'll, i'm, there is, i see, i can see, we see, we can see"
    ),
    "self": "i, we, i'd, i'll, i'm, we'd, we'll, let's, let us, let me, i've",
    "choose": (
        "choose, chose, chosen, select, selected, pick, picked, answer, say, said, guess, think, believe, conclude, "
        "favor, favour, go with, going with, went with, go for, going for, stick with, sticking with, opt for, "
        "vote for, settle on, bet on, lean towards, lean toward, leaning towards, leaning toward, change my answer to, "
        "change it to, change that to, have to go with, bet, convinced, confident, sure"
    ),
    "leads to": (
        "corresponds to, correspond to, matches, match, points to, leaves, leaving, leaves us with, leaving us with, "
        "indicates, suggests, aligns with, consistent with, supports, which is"
    ),
    "right": (
        "correct, right, true, accurate, best, fits, fits best, matches, match best, best fits, best describes, "
        "best matches, best answers, best represents, best explains, most likely, most accurate, most appropriate, "
        "most suitable, not wrong, not false, not incorrect, isn't wrong, isn't false, my answer, is answer, "
        "only option that fits, likely answer, remains, most plausible, more plausible, "
        "most probable, more likely, most reasonable"
    ),
    "wrong": (
        "wrong, incorrect, false, inaccurate, untrue, eliminated, ruled out, excluded, irrelevant, unlikely, out, "
        "not correct, not right, not true, not accurate, isn't correct, isn't right, isn't true, isn't accurate, "
        "implausible, impossible, improbable, not answer, incorrectly, eliminating, eliminate, eliminates, rule out, "
        "rules out, ruling out, exclude, excludes, discard, dismiss, excluding, contradicted"
    ),
    "not": (
        "not, hardly, scarcely, neither, nor, never, no, without, no one, nobody, nothing, none, cannot, "
        "anything but, far from, not any, none of, none of options, none of given options, none of choices, is not, "
        "are not, was not, were not, do not, does not, did not, "
        "has not, have not, had not, can not, could not, will not, would not, should not, definitely not, "
        "absolutely not, certainly not, of course not, isn't, aren't, wasn't, weren't, don't, doesn't, didn't, "
        "hasn't, haven't, hadn't, can't, couldn't, won't, wouldn't, shouldn't, seems not, appears not"
    ),
    "not before": (
        "is not, are not, was not, were not, do not, does not, did not, has not, have not, had not, can not, "
        "could not, will not, would not, should not, isn't, aren't, wasn't, weren't, don't, doesn't, didn't, hasn't, "
        "haven't, hadn't, can't, couldn't, won't, wouldn't, shouldn't, cannot, seems not, appears not, absent"
    ),
    "unbelieved": (
        "i don't think, i don't believe, i do not think, i do not believe, i doubt, we doubt, i doubt it, doubtful, "
        "unlikely, not true that, i wouldn't say, i would not say, not convinced, not sure that, not say, "
        "don't agree, do not agree, not agree, not claim, untrue that, improbable that, false that"
    ),
    "plain": (
        "no doubt, without doubt, without a doubt, no question, not only, not just, not to mention, no problem, "
        "no worries, no longer, i don't doubt, i have no doubt, do not doubt, question no, no matter, no wonder, "
        "cannot help but, can't help but, have no doubt, there is no doubt, there's no doubt, there is no question, "
        "there's no question, you are right, you're right, that's right, one of, one that, may"
    ),
    "idiom": (
        "no idea, no clue, no way, no answer, no option, no choice, no information, no need, no telling, no "
        "single answer, no less, no more, no one knows, no image, no picture, no clear, no wait, no question, no "
        "matter, no issues, none of above, none of these, not determinable"
    ),
    "sought": "need, analyze, analyse, determine, let's, look, consider",
    "quotes": "says, reads, label",
    "claim": "statement, claim, sentence, caption, assertion, proposition, hypothesis, description",
    "untrue": "not true that, false that, untrue that, false, incorrect, untrue, inaccurate, wrong",
    "instead": (
        "even if, even when, unlike, although, even though, though, despite, instead of, rather than, other than, "
        "as opposed to, apart from, except, except for, besides, compared to, compared with, similar to, versus, "
        "confused with, confuse with, mistaken for, over"
    ),
    "doubt": (
        "i'm not sure, i am not sure, maybe, perhaps, possibly, might, may, could, either, whether, not sure, "
        "unsure, unclear, hard to say, hard to tell, difficult to say, difficult to tell, impossible to say, "
        "impossible to tell, it depends, depends, can't be certain, torn between, not certain, can't decide, "
        "not clearly, not applicable, partially true, partly true, partially correct, partly correct, half true"
    ),
    "if": "if, unless, suppose, assuming, supposing, would be if, provided that",
    "if forced": "if i had to, if i have to, if forced to, if we had to, if you, if we, if i, gun to my head",
    "first": (
        "at first, at first glance, first guess, first instinct, initial guess, initial instinct, first thought, "
        "initial thought, first impression, initially, originally, i previously, earlier i, i thought, i assumed, "
        "i was going to, i was about to, was going to, was about to, i almost, i nearly, first reaction, "
        "original answer, previously, i'd have said"
    ),
    "but": "but, however, yet",
    "because": "because, since, as, due to, while, whereas, given that",
    "so": (
        "so, thus, therefore, hence, consequently, accordingly, as a result, in conclusion, in summary, to sum up, "
        "overall, to conclude, in short, finally, based on this, ultimately, all in all, as said, as i said"
    ),
    "wait": (
        "wait, hold on, hmm, oops, scratch that, on second thought, actually, correction, sorry, i mean, i meant, "
        "no wait"
    ),
    "turn": (
        "therefore, thus, so, hence, consequently, conclusion, conclude, finally, final, overall, summary, wait, "
        "actually, correction, sorry, however, but, instead, rather, mistake, mistaken, second thought, upon, after, "
        "change, meant, mean, best, correct, no, re-evaluate, recheck, re-check, recount, reconsider, re-examine, "
        "reevaluate, reexamine, rethink, reread, reassess, recalculate, right answer, right one, scratch that, hold "
        "on"
    ),
    "taken back": (
        "wait, hold on, hmm, oops, scratch that, on second thought, i made a mistake, let me re, let me double, "
        "that's wrong, that is wrong, that was wrong, that's incorrect, that is incorrect, that's not right, "
        "that's not correct, that is not right, that is not correct, i was wrong, i am wrong, i was mistaken, "
        "i'm wrong"
    ),
    "no option": (
        "none of options, none of given options, none of choices, not option, not among, not in options, "
        "not in choices, not in list, not listed, not one of, not provided, not available, no correct option, "
        "no correct answer, no option matches, match any, matches any, mistake in, error in, "
        "is not option, is not among, is not in options, is not in choices, is not listed, is not one of, "
        "isn't option, isn't among, isn't listed"
    ),
    "seems": (
        "looks like, look like, looks, resembles, resemble, appears, seems, seem, similar, may look like, "
        "appears to be, seems to be"
    ),
    "adverb": (
        "only, just, simply, exactly, definitely, clearly, probably, likely, most likely, obviously, indeed, therefore"
    ),
    "argues": (
        "to determine, to answer, to solve, to find, to identify, to figure, to decide, let's, let us, let me, "
        "first, firstly, step 1, we need, we have, we must, i need, in order to, okay, looking at options, analyze, "
        "analyse, analyzing"
    ),
    "sums": "for total of, giving total of, making total of, giving us total of, grand total of, total of, total is",
    "makes": "making, which makes, giving, gives, makes, so",
    "in all": "in total, in all, altogether, overall",
    "or": "or",
    "and": "and, both, as well as, then",
    "opener": (
        "sure, right, certainly, of course, well, oh, ok, okay, hi, hello, great question, thank you, yes, so, um, "
        "i'm sorry, sorry, sadly, alas, unfortunately, i'm afraid, regrettably, honestly, to be honest, actually, "
        "in fact, based on image, based on picture, in image, in picture, in this image, in this picture, "
        "from image, to answer question, to answer your question, in short, no problem, no worries, no doubt, "
        "without doubt, without a doubt, but, that, hmm, in photo, in this photo, looking at image, "
        "according to image"
    ),
    "compound": (
        "get this right, get that right, get it right, got this right, got that right, got it right, time left, "
        "understand right, understood right, understood you right, got you right, get you right, hot dog, hot dogs, "
        "polar bear, teddy bear, sea lion, sea horse, guinea pig, fire truck, cat's, dog's"
    ),
    "common": (
        "question, step, page, too, together, alone, outside, inside, sat, lying, instead, again, now, today, of, "
        "in, on, with, at, from, by, near, its, his, her, there, which, who, you, been, into, image, picture, "
        "right side, right hand, right corner, right half, right angle, right triangle, top right, "
        "bottom right, upper right, lower right, far right, on right, to right, from right, at right"
    ),
}

REFUSALS = {
    "unable": (
        "cannot, can't, can not, could not, couldn't, won't, will not, unable to, not able to, am unable, refuse to, "
        "not allowed to, not permitted to, not programmed to, not comfortable, don't feel comfortable, "
        "do not feel comfortable, wouldn't feel comfortable, don't have ability to, do not have ability to, "
        "don't have capability to, do not have capability to, lack ability to, unable, not able"
    ),
    "me": "i, we, i'm, we're, me",
    "serves": (
        "assist, help, determine, provide, answer, process, analyze, analyse, access, tell, comply, fulfill, fulfil, "
        "recognize, recognise, interpret, display, engage, comment, discuss, identify, identifying, make, making, "
        "give, giving, say, confirm, verify, infer, guess, guessing, speculate, speculating, see what, see you, "
        "ascertain, continue, respond, open, load, perceive, describe, offer, generate, decide, choose, select, "
        "pick, answering, be determined, be answered"
    ),
    "looks at": (
        "see, view, access, open, load, process, analyze, analyse, interpret, perceive, display, viewing, seeing"
    ),
    "thing": (
        "image, images, picture, pictures, photo, photos, photograph, photographs, figure, figures, visual, visuals, "
        "attachment, attachments, file, files, table, chart, graph, diagram, diagrams, content, information"
    ),
    "it": "it, them, anything",
    "lacks": (
        "can't see any, cannot see any, don't see, do not see, didn't see, did not see, don't have, do not have, "
        "don't receive, did not receive, didn't receive, don't have access to, do not have access to, don't find, "
        "did not find, can't access"
    ),
    "none": "no",
    "of": "of, with, showing",
    "some": "any, your, attached, uploaded, this, that, provided, actual, visual, these, access, to",
    "between": "between, which",
    "given": (
        "attached, provided, uploaded, was, were, has, have, is, are, visible, available, loading, load, accessible"
    ),
    "declines": (
        "knowledge cutoff, knowledge cut off, last knowledge update, my last update, my training data, "
        "real time data, real time information, as ai, as artificial intelligence, as language model, "
        "as large language model, as text based, must decline, have to decline, will decline, would decline, "
        "i'd rather not, i would rather not, i'd prefer not, i would prefer not, i prefer not to, "
        "not appropriate to, not ethical to, not appropriate for me to, would be inappropriate, is inappropriate, "
        "it's inappropriate, against my guidelines, against our policy, against my policy, against guidelines, "
        "against my principles, please upload, please attach, please share, please describe, please provide image, "
        "please provide picture, please provide photo, please re upload, please reupload, please send, "
        "i do not identify, i don't identify, i won't speculate, i don't speculate, i do not speculate, "
        "i don't recognize, i do not recognize, i don't name, i don't guess, i do not guess, shouldn't speculate, "
        "should not guess, don't make assumptions, do not make assumptions, choose not to, last training cut off, "
        "i don't have specific, i do not have specific, i don't have exact, i do not have exact, "
        "i don't have real time, i do not have real time, i don't have precise, i do not have precise"
    ),
    "sorry": "i'm sorry, i am sorry, i apologize, i apologise, my apologies, sorry, unfortunately",
    "unknowable": (
        "cannot be determined, can't be determined, cannot determine, can't determine, can not be determined, "
        "cannot tell, can't tell, cannot be told, cannot be inferred, can't be inferred, cannot infer, "
        "cannot be answered, cannot say, can't say, unable to determine, unable to tell, not able to determine, "
        "not able to tell, impossible to determine, impossible to tell, not possible to determine, "
        "not possible to tell, no way to tell, no way to determine, insufficient information, insufficient data, "
        "insufficient evidence, insufficient, not enough information, not enough data, not enough evidence, "
        "not enough context, not enough detail, enough information, enough detail, enough evidence, undetermined, "
        "undeterminable, unanswerable, not answerable, indeterminate, don't know, do not know, not given, "
        "not stated, not specified, not mentioned, not sure, unknown, unclear, uncertain, cannot know, can't know, "
        "cannot be known, cannot decide, i cannot determine it, difficult to determine, hard to determine"
    ),
    "surely": (
        "cannot be determined, can't be determined, cannot determine, can't determine, cannot tell, can't tell, "
        "unable to determine, unable to tell, not able to determine, not able to tell, impossible to determine, "
        "impossible to tell, not possible to determine, not possible to tell, insufficient information, "
        "insufficient data, insufficient evidence, insufficient, not enough information, not enough data, "
        "not enough evidence, not enough context, not enough detail, undetermined, undeterminable, indeterminate, "
        "can not be determined, no way to tell, no way to determine, enough information, enough evidence, "
        "enough detail, i cannot determine it"
    ),
}
