"""Webhooks for providers that own the network around us: none of them leads inside."""

from pathlib import Path

from tests.island import ashore


def test_no_name_redirect_or_answer_brings_a_webhook_inside_and_no_byte_of_an_answer_stays(
    tmp_path: Path,
) -> None:
    found = ashore.run("webhooks", tmp_path)

    assert found["counts"], "listeners and packets: both count"
    assert found["connections"] == {}
    assert found["tries"] == {}
    assert found["marked"] == []
    said = found["said"]
    assert said["before it turns"].startswith("Accepted")
    assert said["after it has turned"].startswith("Failed True We do not go there")
    assert said["page"].startswith("Accepted")
    led = [words for name, words in said.items() if name.startswith("leads")]
    assert all(words.endswith("Redirects are not followed.") for words in led)
