# SPDX-License-Identifier: BSD-2-Clause
"""Tiers, nodes, statistics; names; the policy; events."""

import asyncio
import errno
import os
import select

import cxlmalloc
import pytest
from cxlmalloc import Buffer, Event, Events, policy


def test_version():
    assert "jemalloc" in cxlmalloc.version()
    assert cxlmalloc.version().startswith(cxlmalloc.__version__)


def test_stats_count_what_is_allocated():
    assert set(cxlmalloc.stats()) == {"ddr", "cxl"}
    buffer = Buffer(64 << 20, "cxl")
    after = cxlmalloc.stats()
    assert after["cxl"].used >= 64 << 20
    assert after["cxl"].peak >= after["cxl"].used
    assert after["cxl"].limit is None and after["cxl"].over == 0
    assert len(buffer) == 64 << 20


def test_tiers():
    tiers = cxlmalloc.tiers()
    assert list(tiers) == ["ddr", "cxl"] and tiers["cxl"].name == "cxl"
    buffer = Buffer(64 << 20, "cxl")
    buffer.populate()
    now = cxlmalloc.tiers()["cxl"]
    assert now.used >= now.in_use >= 64 << 20
    assert now.total >= now.free > 0 and now.limit is None
    assert set(now.nodes) <= {node.node for node in cxlmalloc.nodes()}
    assert now.binding in (
        "strict preferred emulated denied offline none".split()
    )
    assert set(buffer.nodes()) <= set(now.nodes)


def test_nodes():
    nodes = cxlmalloc.nodes()
    assert nodes and nodes[0].total >= nodes[0].free > 0
    online = os.listdir("/sys/devices/system/node") if os.path.isdir(
        "/sys/devices/system/node") else ["node0"]  # fmt: skip
    assert {f"node{node.node}" for node in nodes} <= set(online)
    assert all(node.read_latency is None or node.read_latency > 0 for node in nodes)


def test_ctl_reads_what_the_functions_say():
    names = cxlmalloc.ctl_names()
    assert "version" in names and names["tier.cxl.used"].is_string is False
    assert cxlmalloc.ctl("version").split()[0] in cxlmalloc.version()
    buffer = Buffer(64 << 20, "cxl")
    assert cxlmalloc.ctl("tier.cxl.used") == cxlmalloc.stats()["cxl"].used
    assert cxlmalloc.ctl("tier.cxl.limit") is None
    with pytest.raises(KeyError):
        cxlmalloc.ctl("no.such.name")
    with pytest.raises(OSError) as error:
        cxlmalloc.ctl_set("version", "1")
    assert error.value.errno == errno.EPERM
    assert buffer.tier == "cxl"


def test_every_name_can_be_read():
    for name in cxlmalloc.ctl_names():
        value = cxlmalloc.ctl(name) if name != "conf" else ""
        assert value is None or isinstance(value, (int, str)), name


@pytest.fixture
def settings():
    """What a test changes is as before afterwards."""
    old = {name: policy[name] for name in ("order", "cxl.limit", "ddr.limit")}
    yield
    policy.set(old)


def test_policy_is_a_mapping(settings):
    assert "order" in policy and len(policy) == len(list(policy)) > 10
    assert policy["order"] == "ddr:cxl"
    policy["cxl.limit"] = "512m"
    assert cxlmalloc.stats()["cxl"].limit == 512 << 20
    policy["cxl.limit"] = "none"
    assert cxlmalloc.stats()["cxl"].limit is None
    assert dict(policy)["order"] == "ddr:cxl"
    with pytest.raises(KeyError):
        policy["no.such"]


def test_policy_changes_all_or_none(settings, heap_tier):
    policy.set({"cxl.limit": 600 << 20}, order="cxl:ddr")
    assert policy["order"] == "cxl:ddr" and heap_tier() == "cxl"
    assert cxlmalloc.stats()["cxl"].limit == 600 << 20
    with pytest.raises(ValueError):
        policy.set({"cxl.limit": "12q", "order": "ddr:cxl"})
    assert policy["order"] == "cxl:ddr"
    assert cxlmalloc.stats()["cxl"].limit == 600 << 20


def test_policy_that_cannot_change():
    assert policy["arenas"].isdigit() or policy["arenas"]
    with pytest.raises(OSError) as error:
        policy["arenas"] = 4
    assert error.value.errno == errno.EPERM


def test_a_limit_is_memory_error(settings):
    policy["cxl.limit"] = cxlmalloc.stats()["cxl"].used + (32 << 20)
    with pytest.raises(MemoryError):
        Buffer(128 << 20, "cxl", strict=True)
    assert Buffer(128 << 20, "cxl").tier == "ddr"


def test_events_are_readable(settings):
    with Events() as events:
        poll = select.poll()
        poll.register(events, select.POLLIN)
        assert events.read() == Event(0) and not poll.poll(0)
        policy["cxl.limit"] = "512m"
        assert poll.poll(10000)
        assert events.read() & (Event.LIMIT | Event.POLICY)
        assert events.read() == Event(0)
    with pytest.raises(ValueError):
        events.read()
    events.close()


def test_events_in_asyncio(settings):
    async def main():
        with Events() as events:
            seen = asyncio.ensure_future(events.wait())
            await asyncio.sleep(0)
            assert not seen.done()
            policy["cxl.limit"] = "512m"
            assert await asyncio.wait_for(seen, 30) & (Event.LIMIT | Event.POLICY)
            policy["cxl.limit"] = "none"
            async for event in events:
                assert event
                break

    asyncio.run(main())


def test_events_are_few():
    opened = [Events()]
    with pytest.raises(OSError) as error:
        for _ in range(17):
            opened.append(Events())
    assert error.value.errno == errno.ENOSPC
    for events in opened:
        events.close()


def test_hint_without_the_operators_word():
    assert len(cxlmalloc.ctl_names()) > 10
    assert cxlmalloc.hint("index", "cxl") == "cxl"
    assert cxlmalloc.hint("index") == "policy"
