"""Connecting to a scheduler: a message too many is no end."""

import pytest

from proof_of_absence.checker.screen import cluster as room


class Connected:
    def __enter__(self):
        return "client"

    def __exit__(self, *error):
        return False


@pytest.mark.parametrize(("faults", "connects"), [(0, True), (2, True), (4, False)])
def test_a_message_too_many_is_tried_again(monkeypatch, faults, connects):
    tries = []

    def client(address, timeout):
        tries.append(address)
        assert len(tries) > faults
        return Connected()

    monkeypatch.setattr(room, "Client", client)
    if connects:
        with room.cluster("tcp://somewhere:1") as found:
            assert found == "client"
        assert len(tries) == faults + 1
    else:
        with pytest.raises(AssertionError), room.cluster("tcp://somewhere:1"):
            raise ValueError("never here")
        assert len(tries) == 4
