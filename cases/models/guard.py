"""The database's own guard on states: no move without its audit row, and no move that is not an edge.

Both are checked when the transaction commits, so raw SQL, bulk updates and the admin meet them as well.
"""

from collections.abc import Iterable

import pgtrigger


def state_guard(subject: str, edges: Iterable[tuple[str, str]]) -> list[pgtrigger.Trigger]:
    """Deferred constraint triggers for the `state` column of the model known to the audit as `subject`."""
    allowed = ", ".join(f"('{was}', '{became}')" for was, became in edges)
    moved = f"""
        IF (OLD.state, NEW.state) NOT IN ({allowed}) THEN
            RAISE EXCEPTION '{subject} %: % -> % is no transition', NEW.id, OLD.state, NEW.state
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        IF NOT EXISTS (
            SELECT 1 FROM audit_event
            WHERE subject = '{subject}' AND subject_id = NEW.id AND txid = pg_current_xact_id()
                AND was = OLD.state AND became = NEW.state
        ) THEN
            RAISE EXCEPTION '{subject} %: moved from % to % without an audit event', NEW.id, OLD.state, NEW.state
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    """
    born = f"""
        IF NOT EXISTS (
            SELECT 1 FROM audit_event
            WHERE subject = '{subject}' AND subject_id = NEW.id AND txid = pg_current_xact_id()
                AND became = NEW.state
        ) THEN
            RAISE EXCEPTION '{subject} %: added as % without an audit event', NEW.id, NEW.state
                USING ERRCODE = 'integrity_constraint_violation';
        END IF;
        RETURN NULL;
    """
    return [
        pgtrigger.Trigger(
            name="moved_with_event",
            when=pgtrigger.After,
            operation=pgtrigger.UpdateOf("state"),  # type: ignore[no-untyped-call]
            timing=pgtrigger.Deferred,
            condition=pgtrigger.Q(old__state__df=pgtrigger.F("new__state")),
            func=moved,
        ),
        pgtrigger.Trigger(
            name="born_with_event",
            when=pgtrigger.After,
            operation=pgtrigger.Insert,
            timing=pgtrigger.Deferred,
            func=born,
        ),
        pgtrigger.Protect(name="never_deleted", operation=pgtrigger.Delete),
    ]
