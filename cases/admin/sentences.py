"""Acts of the audit as sentences: what a colleague would say happened."""

from typing import Any, Final, NamedTuple

from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import ROLE_CHOICES
from audit.models import Event
from cases import deadlines
from cases.models import (
    AtWork,
    Call,
    Dispatch,
    LegalClass,
    Mail,
    Notice,
    PassedOn,
    Reply,
    ReplyMail,
    ReportLine,
    SecondLook,
)
from cases.services.looking import Why
from cases.services.reporter import Contacting


class Sentence(NamedTuple):
    """What to say of an act; `tone` and `icon` as takedown/look.py knows them."""

    text: str | Promise
    tone: str = "calm"
    icon: str = "dot"


#: (subject, act, state it led to) -> sentence; the state "" is for every other and for none.
ACTS: Final[dict[tuple[str, str, str], Sentence]] = {
    ("notice", "receive", ""): Sentence(_("It came in"), icon="inbox"),
    ("notice", "reappear", ""): Sentence(_("It is back after its removal: a new notice"), "warn", "refresh"),
    ("notice", "attribute", ""): Sentence(_("Looked up who hosts it"), icon="server"),
    ("notice", "assess", ""): Sentence(_("Judged"), "info", "check"),
    ("notice", "assess", "dismissed"): Sentence(_("Judged, and dismissed"), icon="minus"),
    ("notice", "want_second", ""): Sentence(_("A second judgement is wanted"), icon="person"),
    ("notice", "judge_again", ""): Sentence(_("Judged a second time"), "info", "person"),
    ("notice", "settle_second", ""): Sentence(_("The lead decided between two judgements"), "info", "check"),
    ("notice", "reject_objection", ""): Sentence(_("The objection was rejected"), "warn", "flag"),
    ("notice", "dismiss", ""): Sentence(_("Dismissed"), icon="minus"),
    ("notice", "hold", ""): Sentence(_("Put on hold"), "warn", "pause"),
    ("notice", "prolong", ""): Sentence(_("The hold was prolonged"), "warn", "pause"),
    ("notice", "release", ""): Sentence(_("The hold was ended"), icon="check"),
    ("notice", "skip", ""): Sentence(_("Left for somebody else"), icon="arrow-right"),
    ("notice", "hand_over", ""): Sentence(_("Handed over to a colleague"), icon="arrow-right"),
    ("notice", "route", ""): Sentence(_("Its way to the provider was decided"), icon="mail"),
    ("notice", "route", "dismissed"): Sentence(_("Dismissed: it is hosted abroad"), icon="minus"),
    ("notice", "take_back", ""): Sentence(_("Taken back from the outbox to be judged again"), icon="return"),
    ("notice", "drop", ""): Sentence(_("Left out of the message just before sending"), "warn", "return"),
    ("notice", "notify", ""): Sentence(_("Handed to our relay"), icon="send"),
    ("notice", "notify", "notified"): Sentence(
        _("It arrived at the provider: the clock starts"), "info", "clock"
    ),
    ("notice", "show", ""): Sentence(_("The provider saw it, in the portal or by the API"), "info", "eye"),
    ("notice", "void", ""): Sentence(
        _("Its message came back: no clock runs, and it goes another way"), "bad", "return"
    ),
    ("notice", "escalate", ""): Sentence(_("The term ended without proven removal"), "bad", "up"),
    ("notice", "observe", ""): Sentence(_("A look was taken"), icon="eye"),
    ("notice", "observe", "removed"): Sentence(_("Proven gone"), "good", "check-circle"),
    ("notice", "answer", ""): Sentence(_("The provider answered"), "info", "person"),
    ("notice", "reply", ""): Sentence(_("The provider answered"), "info", "person"),
    ("notice", "ask", ""): Sentence(_("The provider wrote a message"), "info", "person"),
    ("notice", "write", ""): Sentence(_("A message to the provider was written"), "info", "send"),
    ("notice", "need_no_answer", ""): Sentence(_("What the provider wrote needs no answer"), icon="check"),
    ("notice", "read", ""): Sentence(_("The provider read our message"), icon="eye"),
    ("notice", "read_message", ""): Sentence(_("Read a message with the addresses in it"), icon="eye"),
    ("notice", "remind_forwarded", ""): Sentence(
        _("Their customer's time is over and we still see it: the provider was told"), "warn", "bell"
    ),
    ("notice", "answer_claim", ""): Sentence(_("A claim of removal was answered"), "info", "eye"),
    ("notice", "accept_claim", ""): Sentence(_("Accepted that nobody can tell"), "warn", "person"),
    ("notice", "check_again", ""): Sentence(_("A check was asked for"), icon="refresh"),
    ("notice", "set_customer_reference", ""): Sentence(_("The provider noted its own reference")),
    ("notice", "ask_origin", ""): Sentence(_("A CDN was asked for the server behind it"), "info", "send"),
    ("notice", "learn_origin", ""): Sentence(_("The server behind the CDN became known"), "info", "server"),
    ("notice", "withdraw", ""): Sentence(_("Withdrawn"), "warn", "return"),
    ("notice", "take_earlier", ""): Sentence(_("Took over what was judged before"), "info", "return"),
    ("notice", "reveal", ""): Sentence(_("Looked at the full address"), icon="eye"),
    ("notice", "recanonicalise", ""): Sentence(
        _("A newer rule wrote its address in another form"), icon="refresh"
    ),
    ("notice", "acknowledge_step", ""): Sentence(_("Sees to a step"), icon="person"),
    ("notice", "pass_on", ""): Sentence(
        _("Nobody saw to a step: it goes to the next role"), "warn", "arrow-right"
    ),
    ("notice", "call", ""): Sentence(_("The provider was called"), "info", "phone"),
    ("notice", "send_anyway", ""): Sentence(_("Let a reminder go without a recent sighting"), "warn", "send"),
    ("user", "lift_stop", ""): Sentence(_("May go on today, past the hours of a day"), "warn", "person"),
    ("user", "change_role", ""): Sentence(_("Made admin, or member again"), "info", "person"),
    ("user", "end_membership", ""): Sentence(_("Shut out by an admin of their provider"), "warn", "minus"),
    ("user", "ask_recovery", ""): Sentence(_("A new way in was asked for"), "warn", "key"),
    ("user", "confirm_recovery", ""): Sentence(
        _("A new way in was confirmed; the old ones ended"), "warn", "key"
    ),
    ("dispatch", "replay", ""): Sentence(_("The provider had its webhook sent again"), "info", "refresh"),
    ("dispatch", "revoke_link", ""): Sentence(_("The link to its page was revoked"), "warn", "minus"),
    ("dispatch", "confirm", ""): Sentence(
        _("Answers by its link were confirmed to the contact"), icon="mail"
    ),
    ("dispatch", "confirm_failed", ""): Sentence(
        _("Answers by its link could not be confirmed to the contact"), "warn", "warning"
    ),
    ("user", "refuse_recovery", ""): Sentence(_("No new way in was given"), icon="minus"),
    ("invitation", "invite", ""): Sentence(_("An invitation was made"), "info", "person"),
    ("invitation", "revoke", ""): Sentence(_("An invitation was revoked"), "warn", "minus"),
    ("invitation", "take_up", ""): Sentence(_("An invitation was taken up"), "good", "check"),
    ("key", "create_key", ""): Sentence(_("A key was made"), "info", "key"),
    ("key", "replace_key", ""): Sentence(_("Another key takes its place"), icon="key"),
    ("key", "take_over_key", ""): Sentence(_("A colleague took it over"), icon="person"),
    ("key", "revoke_key", ""): Sentence(_("The key was revoked"), "warn", "minus"),
    ("key", "warn", ""): Sentence(_("Its owner was told that it ends"), icon="mail"),
    ("key", "warn_failed", ""): Sentence(_("Its owner could not be told that it ends"), "warn", "warning"),
    ("user", "log_in", ""): Sentence(_("Logged in"), icon="key"),
    ("user", "log_in_failed", ""): Sentence(_("Somebody tried to log in as them"), "warn", "warning"),
    ("user", "log_out", ""): Sentence(_("Logged out"), icon="leave"),
    ("user", "step_up", ""): Sentence(_("Proved again who they are"), icon="key"),
    ("user", "enrol", ""): Sentence(_("Set up a passkey or an app"), "info", "key"),
    ("user", "remove_factor", ""): Sentence(_("Removed a passkey or an app"), "warn", "minus"),
    ("user", "renew_codes", ""): Sentence(_("Made new recovery codes"), "info", "refresh"),
    ("user", "end_session", ""): Sentence(_("A session was ended"), icon="leave"),
    ("user", "end_sessions", ""): Sentence(_("Sessions were ended"), icon="leave"),
    ("dispatch", "enqueue", ""): Sentence(_("Begun, and put in the outbox"), icon="inbox"),
    ("dispatch", "approve", ""): Sentence(_("Approved"), "good", "check"),
    ("dispatch", "cancel", ""): Sentence(_("Cancelled"), icon="minus"),
    ("system", "restored", ""): Sentence(
        _("A backup was put back: all that waited to be sent was set aside"), "bad", "warning"
    ),
    ("system", "nothing_lost", ""): Sentence(
        _("Nothing was lost, somebody said: sending goes on"), "warn", "send"
    ),
    ("dispatch", "fall_back", ""): Sentence(_("Given to the provider's other contact"), icon="send"),
    ("dispatch", "split", ""): Sentence(_("Too large: a part became a message of its own"), icon="inbox"),
    ("dispatch", "retry", ""): Sentence(_("To be tried again"), icon="refresh"),
    ("dispatch", "fail", ""): Sentence(_("An attempt failed"), "warn", "warning"),
    ("dispatch", "park", ""): Sentence(_("Set aside for a person"), "bad", "warning"),
    ("dispatch", "relay", ""): Sentence(_("Taken by our relay"), "info", "send"),
    ("dispatch", "accept", ""): Sentence(_("Accepted by their server"), "good", "check"),
    ("dispatch", "bounce", ""): Sentence(_("It came back undelivered"), "bad", "return"),
    ("dispatch", "read", ""): Sentence(_("The text was read"), icon="eye"),
    ("message_template", "draft", ""): Sentence(_("Other words were drafted"), icon="document"),
    ("message_template", "change", ""): Sentence(_("The words of the draft were changed"), icon="document"),
    ("message_template", "discard", ""): Sentence(_("The draft was thrown away"), icon="minus"),
    ("message_template", "preview", ""): Sentence(_("The words were read on a real notice"), icon="eye"),
    ("message_template", "put_in_force", ""): Sentence(_("The words were put in force"), "good", "check"),
    ("message_template", "go_back", ""): Sentence(
        _("Earlier words were put in force again"), "warn", "return"
    ),
    ("report", "receive", ""): Sentence(_("The report came in"), icon="inbox"),
    ("report", "finish", ""): Sentence(_("All lines are read"), "good", "check"),
    ("report", "decide_quarantined", ""): Sentence(_("Decided on a quarantined line"), icon="lock"),
    ("report", "reveal_reporter", ""): Sentence(_("Looked how the reporter can be reached"), icon="eye"),
    ("report", "erase", ""): Sentence(_("Erased after its time"), icon="eye-off"),
    ("bulk", "bulk", ""): Sentence(_("Began an act on many notices"), "info", "send"),
    ("bulk", "stop_bulk", ""): Sentence(_("Stopped an act on many notices"), "warn", "pause"),
    ("bulk", "retry_bulk", ""): Sentence(_("Tried again what had failed"), icon="refresh"),
    ("bulk", "export", ""): Sentence(_("Asked for an export"), "info", "inbox"),
    ("bulk", "fetch_export", ""): Sentence(_("Fetched an export"), "info", "inbox"),
    ("filter", "share_filter", ""): Sentence(_("Shared a saved filter"), icon="search"),
    ("report", "reveal", ""): Sentence(_("Looked at a line as it came in"), icon="eye"),
    ("mail", "receive", ""): Sentence(_("The mail came in"), icon="mail"),
    ("mail", "accept", ""): Sentence(_("Taken for a report"), "info", "check"),
    ("mail", "set_aside", ""): Sentence(_("Set aside for good"), icon="minus"),
    ("mail", "take_in", ""): Sentence(_("Taken in"), "good", "check"),
    ("mail", "hand_back", ""): Sentence(_("Could not be taken in"), "warn", "warning"),
    ("mail", "read", ""): Sentence(_("The text was read"), icon="eye"),
    ("mail", "erase", ""): Sentence(_("Its text and its sender were erased"), icon="minus"),
    ("reply_mail", "receive", ""): Sentence(_("The mail came in"), icon="mail"),
    ("reply_mail", "receive", "filed"): Sentence(_("The mail came in, and was filed"), icon="mail"),
    ("reply_mail", "attach", ""): Sentence(_("Put to a message"), icon="arrow-right"),
    ("reply_mail", "answer", ""): Sentence(_("Made into answers"), "good", "check"),
    ("reply_mail", "set_aside", ""): Sentence(_("Read, without effect"), icon="minus"),
    ("reply_mail", "count_as_bounce", ""): Sentence(_("Counted as a bounce"), "bad", "return"),
    ("reply_mail", "bring_back", ""): Sentence(_("Brought to the tray"), icon="inbox"),
    ("reply_mail", "read", ""): Sentence(_("The text was read"), icon="eye"),
    ("reply_mail", "erase", ""): Sentence(_("Its text and its sender were erased"), icon="minus"),
    ("mail_receipt", "add", ""): Sentence(_("A receipt was put in the outbox"), icon="inbox"),
    ("mail_receipt", "send", ""): Sentence(_("The receipt was sent"), "good", "send"),
    ("mail_receipt", "park", ""): Sentence(_("The receipt was set aside"), "bad", "warning"),
    ("mail_receipt", "retry", ""): Sentence(_("The receipt is to be tried again"), icon="refresh"),
    ("mail_sender", "add", ""): Sentence(_("A partner by mail was proposed"), icon="person"),
    ("mail_sender", "approve", ""): Sentence(_("A partner by mail was approved"), "good", "check"),
    ("mail_sender", "stop", ""): Sentence(_("A partner by mail was stopped"), "warn", "pause"),
}

#: What retention erased of a report.
ERASED: Final[dict[str, str | Promise]] = {
    "reporter": _("how to reach the reporter"),
    "follow_up": _("the code to follow it by"),
    "refused_lines": _("the texts of lines that were no address"),
}

#: Key of an event's data -> code -> its words.
_CODES: Final[dict[str, dict[str, Any]]] = {
    "class": dict(LegalClass.choices),
    "reason": dict(
        [
            *Why.choices,
            *PassedOn.Reason.choices,
            *Contacting.choices,
            *Mail.Reason.choices,
        ]
    ),
    "because": dict([*Notice.Dismissal.choices, *Notice.Withdrawal.choices, *AtWork.Lifted.choices]),
    "hold": dict(Notice.Hold.choices),
    "form": {"defanged": _("copied, defanged")},
    "answer": dict(Reply.Answer.choices),
    "claim_answer": dict(Notice.ClaimAnswer.choices),
    "outcome": dict(ReportLine.Outcome.choices),
    "what": ERASED,
    "why": dict(SecondLook.Why.choices),
    "stands": dict(SecondLook.Outcome.choices),
    "came_of": dict(Call.Outcome.choices),
    "to_role": dict(ROLE_CHOICES),
    "mail_kind": dict(ReplyMail.Kind.choices),
}


def step_name(code: str) -> str:
    """A rung of the ladder, or the first notice, in words."""
    if code.startswith(deadlines.REMINDER):
        return gettext("reminder %(count)s") % {"count": code.removeprefix(deadlines.REMINDER)}
    kind = code.partition("-")[0]
    if kind in {Dispatch.Kind.WITHDRAWAL, Dispatch.Kind.ORIGIN, Dispatch.Kind.MESSAGE}:
        return str(Dispatch.Kind(kind).label)
    return {
        "first": gettext("first notice"),
        "hint": gettext("hint: the term is nearly over"),
        "call": gettext("call the provider"),
        "dossier": gettext("propose a dossier"),
    }.get(code, code)


def sentence(act: str, subject: str = "notice", became: str = "") -> Sentence:
    """The sentence of an act; an act without one is named as it is."""
    found = ACTS.get((subject, act, became)) or ACTS.get((subject, act, ""))
    return found or Sentence(act.replace("_", " "))


def detail(data: dict[str, Any] | None) -> str:
    """What an event's data adds, in words: "illegal: baseline", "reminder 2"."""
    said = []
    for key, value in (data or {}).items():
        if key == "step":
            said.append(step_name(str(value)))
        elif key in {"report", "previous", "number", "undone", "receipt"}:
            said.append(str(value))
        elif key == "line":
            said.append(gettext("line %(number)s") % {"number": value})
        elif value and key in _CODES:
            said.append(str(_CODES[key].get(str(value), value)))
    return ", ".join(said)


def told(event: Event, who: str) -> dict[str, Any]:
    """An event as an entry of a timeline (templates/components/timeline.html). `who`: the actor's name."""
    words = sentence(event.act, event.subject, event.became)
    return {
        "at": event.at,
        "text": words.text,
        "detail": detail(event.data),
        "tone": words.tone,
        "icon": words.icon,
        "by": who,
    }
