"""What happens when the term ends, and after: escalation, and the steps of the ladder until somebody sees to them."""

from cases.services.ladder.beginning import begin
from cases.services.ladder.calling import record_call
from cases.services.ladder.passing_on import pass_on_due
from cases.services.ladder.people import acknowledge_step, send_anyway
from cases.services.ladder.running_out import run_out_due
from cases.services.ladder.seen import seen_lately, wait_for_eyes
from cases.services.ladder.sooner import hasten
from cases.services.ladder.taking import take_steps_due

__all__ = [
    "acknowledge_step",
    "begin",
    "hasten",
    "pass_on_due",
    "record_call",
    "run_out_due",
    "seen_lately",
    "send_anyway",
    "take_steps_due",
    "wait_for_eyes",
]
