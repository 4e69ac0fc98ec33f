"""A partition that retention overtook stops; its worker stays, or the supervisor would end all others with it."""

from gateway.ports import Partition

from .memory_world import PARTITIONS, PREFIX, MemoryInstallation
from .test_worker import turn_until_settled


def test_a_worker_whose_only_partition_lost_records_stays_and_says_so() -> None:
    world = MemoryInstallation(51)
    world.source.write(300)
    workers = [world.worker(slot)[0] for slot in range(1, PARTITIONS + 1)]
    turn_until_settled(world, *workers)
    for worker in workers:
        worker.close()
    world.source.write(300)
    place = Partition(f"{PREFIX}thing.raw", 1)
    world.broker.low[place] = len(world.broker.logs[place]) - 1
    again = [world.worker(slot)[0] for slot in range(1, PARTITIONS + 1)]
    before = world.settled()
    for _ in range(100):
        for worker in again:
            worker.turn()
        world.clock.seconds += 0.05
    assert [error for error in world.signals.stopped() if "data loss" in error and str(place) in error]
    assert world.settled() > before
