"""The nouns of a case, one per file."""

from cases.models.answer_sheet import AnswerSheet
from cases.models.assessment import ILLEGAL, Assessment, LegalClass
from cases.models.at_work import AtWork
from cases.models.beat import Beat
from cases.models.bulk import Bulk, BulkLine
from cases.models.call import Call
from cases.models.claim import Claim
from cases.models.content import Content
from cases.models.delivery import Delivery
from cases.models.dispatch import Attempt, Dispatch, DispatchLine
from cases.models.dispute import Dispute
from cases.models.figure import Figure, ProviderFigure, SavedFilter
from cases.models.fingerprint import Fingerprint
from cases.models.forwarding import Forwarding
from cases.models.link import Link
from cases.models.mail import Mail
from cases.models.mail_choice import MailChoice
from cases.models.mail_receipt import MailReceipt
from cases.models.mail_sender import MailSender
from cases.models.mailbox import Mailbox, MailCopy
from cases.models.message import Message
from cases.models.notice import DeadlineRule, Notice
from cases.models.origin import OriginRequest
from cases.models.pace import Pace
from cases.models.passed_on import PassedOn
from cases.models.picked import Picked
from cases.models.place import Place
from cases.models.reply import Reply
from cases.models.reply_mail import ReplyMail
from cases.models.report import Report, ReportLine, Source
from cases.models.reporter import FollowUp, Reporter
from cases.models.rereading import Rereading
from cases.models.scorecard import ScorecardComment
from cases.models.second import SecondLook
from cases.models.seen_to import SeenTo
from cases.models.sighting import Sighting
from cases.models.step import Step
from cases.models.system_mail import SystemMail
from cases.models.template import MessageTemplate
from cases.models.unread import Unread
from cases.models.vantage import LookTally, Vantage
from cases.models.verdict import Receipt, Verdict
from cases.models.vocabulary import Question, Term, Vocabulary

__all__ = [
    "ILLEGAL",
    "AnswerSheet",
    "Assessment",
    "AtWork",
    "Attempt",
    "Beat",
    "Bulk",
    "BulkLine",
    "Call",
    "Claim",
    "Content",
    "DeadlineRule",
    "Delivery",
    "Dispatch",
    "DispatchLine",
    "Dispute",
    "Figure",
    "Fingerprint",
    "FollowUp",
    "Forwarding",
    "LegalClass",
    "Link",
    "LookTally",
    "Mail",
    "MailChoice",
    "MailCopy",
    "MailReceipt",
    "MailSender",
    "Mailbox",
    "Message",
    "MessageTemplate",
    "Notice",
    "OriginRequest",
    "Pace",
    "PassedOn",
    "Picked",
    "Place",
    "ProviderFigure",
    "Question",
    "Receipt",
    "Reply",
    "ReplyMail",
    "Report",
    "ReportLine",
    "Reporter",
    "Rereading",
    "SavedFilter",
    "ScorecardComment",
    "SecondLook",
    "SeenTo",
    "Sighting",
    "Source",
    "Step",
    "SystemMail",
    "Term",
    "Unread",
    "Vantage",
    "Verdict",
    "Vocabulary",
]
