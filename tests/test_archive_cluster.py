"""Work on partitions: the same here, in processes of this machine and on a cluster, whoever is killed."""

import subprocess
import sys
import time

import cluster_work as work
import dask
import pytest
from distributed import Client, Security
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from calmap.archive.cluster.places import Here, open_place
from calmap.archive.cluster.versions import require_same_versions
from calmap.errors import CacheError, HeaderError, UsageError


@pytest.fixture(scope="module")
def someones():
    """A cluster that is there already."""
    with work.cluster() as found:
        yield found


@pytest.fixture
def address(someones):
    """Its scheduler; nothing is left on it afterwards."""
    yield someones.scheduler_address
    scheduler = someones.scheduler
    deadline = time.monotonic() + 10
    while left(scheduler) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert left(scheduler) == []


@pytest.fixture
def place(address):
    """That cluster, to work on."""
    with open_place(scheduler=address) as found:
        yield found


def left(scheduler):
    """What of our work is on a cluster."""
    clients = [name for name in scheduler.clients if name.startswith("Client")]
    plugins = [name for name in scheduler.worker_plugins if name.startswith("calmap")]
    return [*scheduler.tasks, *plugins, *clients]


def run(place, function, partitions, folder):
    return list(place.run(function, partitions, work.shared(folder)))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(numbers=st.lists(st.integers(-5, 50), max_size=30), factor=st.integers(-3, 3))
def test_as_in_this_process(place, tmp_path, numbers, factor):
    shared = work.shared(tmp_path, factor)

    assert list(place.run(work.times, numbers, shared)) == list(Here().run(work.times, numbers, shared))


def test_order_is_that_of_the_partitions(place, tmp_path):
    assert run(place, work.times_backwards, range(12), tmp_path) == [10 * n for n in range(12)]


def test_sent_and_opened_once_for_each_worker(place, tmp_path):
    shared = work.shared(tmp_path)

    assert list(place.run(work.noted_times, range(40), shared)) == [10 * n for n in range(40)]

    assert len(shared.value.noted("worked")) == 40
    assert sorted(shared.value.noted("opened")) == sorted(set(shared.value.noted("worked")))


def test_partitions_are_asked_for_as_results_are_taken(place, tmp_path):
    asked = []

    def partitions():
        for number in range(1000):
            asked.append(number)
            yield number

    results = place.run(work.times, partitions(), work.shared(tmp_path))
    taken = [next(results) for _ in range(5)]
    time.sleep(0.3)

    assert taken == [0, 10, 20, 30, 40]
    assert len(asked) <= 5 + 3 * place.workers
    results.close()


def test_killed_workers_lose_nothing(place, tmp_path):
    shared = work.shared(tmp_path)

    results = list(place.run(work.fatal_times, range(15), shared))

    assert results == [10 * n for n in range(15)]
    assert place.lost() == len(list(tmp_path.glob("killed-*"))) == 3
    assert len(shared.value.noted("opened")) <= 5  # two workers, and one for each that was killed


def test_partition_that_kills_every_worker_is_given_up(place, tmp_path):
    with pytest.raises(CacheError, match=r"given up: 4 workers were lost") as caught:
        run(place, work.always_fatal, range(6), tmp_path)

    assert "memory" in caught.value.hint


def test_first_error_in_the_order_of_the_partitions(place, tmp_path):
    shared = work.shared(tmp_path)
    taken = []

    with pytest.raises(HeaderError) as caught:
        taken.extend(place.run(work.wrong_from_three, range(6), shared))

    assert (caught.value.message, caught.value.hint) == ("header 3 is wrong", "mend it")
    assert len(shared.value.noted("worked-3")) == 1  # it is not tried again
    with pytest.raises(HeaderError, match=r"^header 3 is wrong \(mend it\)$"):
        list(Here().run(work.wrong_from_three, range(6), shared))


@pytest.mark.parametrize("fault", work.FAULTS)
def test_error_is_the_same_as_here(place, tmp_path, fault):
    with pytest.raises(type(work.FAULTS[fault])) as caught:
        run(place, work.wrong_from_three, [fault], tmp_path)

    assert str(caught.value) == str(work.FAULTS[fault])


def test_fault_of_the_program_says_where_it_was(place, tmp_path):
    with pytest.raises(KeyError, match="a fault of the program") as caught:
        run(place, work.broken, [1], tmp_path)

    assert "cluster_work.py" in "".join(caught.value.__notes__)


def test_work_that_is_broken_off_is_called_back(address, someones, tmp_path):
    """As with an interrupt; the fixture sees that nothing is left."""

    def interrupted():
        with open_place(scheduler=address) as place:
            for _ in place.run(work.slow_times, range(1000), work.shared(tmp_path)):
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()


def test_what_is_gone_from_the_workers_already(address, someones, tmp_path):
    """As when the cluster ends at the same time: what was broken off is told, and nothing else."""
    with open_place(scheduler=address) as place, Client(someones, set_as_default=False) as other:
        results = place.run(work.times, range(50), work.shared(tmp_path))
        next(results)
        other.run(forget)
        results.close()


def forget(dask_worker):
    for name in [name for name in dask_worker.plugins if name.startswith("calmap")]:
        del dask_worker.plugins[name]


INTERRUPTED_START = """
import sys
from distributed import LocalCluster
from calmap.archive.cluster import client

class Interrupted(LocalCluster):
    def __init__(self, **keywords):
        super().__init__(**keywords)
        sys.exit(3)

if __name__ == "__main__":
    client.LocalCluster = Interrupted
    with client.started(1):
        pass
"""


def test_nothing_is_told_of_workers_that_end_with_the_process(tmp_path):
    script = tmp_path / "script.py"
    script.write_text(INTERRUPTED_START)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (3, "", "")


def test_processes_of_this_machine(tmp_path):
    shared = work.shared(tmp_path)
    with open_place(workers=2) as place:
        assert place.workers == 2
        assert list(place.run(work.fatal_times, range(5), shared)) == [10 * n for n in range(5)]
        assert place.lost() == 1


def test_here_by_default(tmp_path):
    with open_place() as place:
        assert (place, place.lost()) == (Here(), 0)
        assert list(place.run(work.times, iter([1, 2]), work.shared(tmp_path))) == [10, 20]

    assert not (tmp_path / "opened").exists()


def test_scheduler_that_goes_away(tmp_path):
    taken = []

    def work_on(scheduler):
        with open_place(scheduler=scheduler.address) as place:
            for result in place.run(work.slow_times, range(500), work.shared(tmp_path)):
                taken.append(result)
                if len(taken) == 3:
                    scheduler.kill()

    with (
        work.scheduler_process(tmp_path) as scheduler,
        pytest.raises(CacheError, match="connection to the cluster was lost") as caught,
    ):
        work_on(scheduler)

    assert taken == [10 * n for n in range(len(taken))]
    assert "nothing is half written" in caught.value.hint


def test_keys_are_those_of_the_configuration(tmp_path):
    """Of dask; without them nobody gets in."""
    keys = Security.temporary()
    names = ("ca-file", "client.cert", "client.key")
    values = (keys.tls_ca_file, keys.tls_client_cert, keys.tls_client_key)
    settings = {f"distributed.comm.tls.{name}": value for name, value in zip(names, values, strict=True)}
    with work.cluster(workers=1, security=keys) as found:
        assert found.scheduler_address.startswith("tls://")
        with dask.config.set(settings), open_place(scheduler=found.scheduler_address) as place:
            assert run(place, work.times, range(3), tmp_path) == [0, 10, 20]
        refused = pytest.raises(UsageError, match="there can be no connection")
        with refused, open_place(scheduler=found.scheduler_address):
            pytest.fail("that was too easy")


def test_scheduler_that_is_not_there():
    start = time.monotonic()
    unreachable = pytest.raises(CacheError, match=r"the scheduler at tcp://127.0.0.1:1 can't be reached")
    with unreachable, open_place(scheduler="tcp://127.0.0.1:1"):
        pytest.fail("there is nothing")

    assert time.monotonic() - start < 15


@pytest.mark.parametrize("scheduler", ["ftp://127.0.0.1:1", "http//x", "tcp://:1", f"tcp://{'x' * 99}:1"])
def test_what_is_no_address(scheduler):
    with pytest.raises((UsageError, CacheError)), open_place(scheduler=scheduler):
        pytest.fail("there is nothing")


@pytest.mark.parametrize(("scheduler", "workers"), [("tcp://127.0.0.1:1", 2), (None, 0), (None, -1)])
def test_what_makes_no_sense(scheduler, workers):
    with pytest.raises(UsageError), open_place(scheduler, workers):
        pytest.fail("there is nothing")


def test_other_versions_are_refused(someones):
    class Elsewhere:
        def get_versions(self, packages):
            found = client.get_versions(packages=packages)
            first, second = sorted(found["workers"])
            found["workers"][first]["packages"] |= dict.fromkeys(packages)
            found["workers"][second]["host"] |= {"python": "3.99.1.final.0"}
            return found

    with Client(someones, set_as_default=False) as client:
        require_same_versions(client)
        with pytest.raises(CacheError) as caught:
            require_same_versions(Elsewhere())

    assert "has no calmap" in caught.value.message
    assert "with Python 3.99" in caught.value.message
    assert caught.value.hint == "install the same versions everywhere"
