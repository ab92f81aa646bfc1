# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Why a row of goals.py is not met, on a machine where it is not, and where the floor is.

{case | contender | figure} is what was measured there, {decision: case | variant | x} how many times the
time that the variant took (goals.py fills them in).
"""

TWO_SWITCHES = (
    'on one processor a turn is two switches of the kernel, and the floor a futex each way; '
    'goroutines change places without the kernel.')
WHOLE_THREAD = (
    'a Timer is a whole Thread: its record, function, stop state and place in the list are made and '
    'freed, the registry is held three times, the clock is read once; how many instructions that '
    'are stands below. What a locked operation costs (half of *Lock uncontended*) decides the rest.')
LOCK_PAIRS = (
    'alone, put and get are a lock and an unlock each, as with the standard library: these four '
    'operations are the floor, twice the {lock/uncontended | floor: compare-exchange + exchange | wall} '
    'of *Lock uncontended*, which is more than the goal. With others there the goal is met.')
MALLOC = (
    'an item is a malloc in one thread and a free in another. Both go on at once here and share what the '
    'allocator keeps, in glibc the lock of an arena: the bare ring, the floor, takes as long. A deque '
    'under a lock, or Go, that keep one thread running for a while, do not notice. The row with mimalloc '
    'shows what another allocator makes of it.')
IN_TURN = (
    'behind only where several put and one gets, or nearly level. There a deque whose lock one thread '
    "keeps for a while stays in that thread's cache: absl takes "
    '{queue/4:1/number/capacity=none | absl::Mutex Await + deque | wall} an item, and as much '
    'processor time, {queue/4:1/number/capacity=none | absl::Mutex Await + deque | cpu}: one of the '
    'two processors sleeps. Here both work, and each item and index travels between them.')

WHY = {
    'Lock contended': (
        'who is ahead with 50 ns and more inside lets one thread keep the lock for long: with four '
        'threads and 50 ns the two processors together spend {lock/contended/T=4/cs=50 | nsync_mu | cpu} '
        'in {lock/contended/T=4/cs=50 | nsync_mu | wall} of nsync, one of them sleeps. So the longest '
        'wait for the lock, four threads and 1 us, is {lock/fairness/cs=1000 | absl::Mutex | wait max ns} '
        'with absl, {lock/fairness/cs=1000 | nsync_mu | wait max ns} with nsync and '
        '{lock/fairness/cs=1000 | thrum::Lock | wait max ns} here. With nothing inside it counts how '
        'seldom a waiter looks at the word, which takes the line from the holder: one that only yields '
        'takes {0003-spin: lock/contended/T=2/cs=0 | yields only | x} the time with two threads, but '
        '{0003-spin: lock/contended/T=4/cs=50 | yields only | x} with four and 50 ns. The floor of a turn '
        'is the time inside, one compare-exchange and one exchange.'),
    'Lock fairness: longest wait': (
        'the lock is handed over at the first release after a waiter has starved for a millisecond; '
        'then that waiter still needs a processor, which the scheduler may have given to another '
        'thread. The next best is {lock/fairness/cs=1000 | tbb::mutex | wait max ns} of tbb.'),
    'Lock fairness: what it costs': (
        'the middle 80 % of the pairs lie on both sides of 1, in each shape that is over.'),
    'Semaphore hand-off': (
        'a cache line travels twice for each turn: the spinning floor of the same case, '
        '{semaphore/ping-pong/apart | floor: spin | wall}, moves with the place that the host gives the '
        'two processors.'),
    'Semaphore contended': (
        'level with the best, whose waiters no stop token ends.'),
    'Event ping-pong': TWO_SWITCHES,
    'Event wake of 1, 8, 64': (
        "one system call wakes all, as in the floor; which of them runs when is the scheduler's."),
    'Condition ping-pong, one core': TWO_SWITCHES,
    'Queue bounded, put + get + task_done': (
        'an item takes three locked operations (the claims of put and get, the count of tasks), '
        'each half of *Lock uncontended*, and each waits until the stamp written before it has reached '
        'its line. A ring that does no more than that is the floor, '
        '{queue/1:1/number/capacity=64 | floor: ring, yields, task_done | wall} with one putter and '
        'one getter.'),
    'Queue of strings': MALLOC,
    'Queue of unique_ptr': MALLOC,
    'Queue unbounded': IN_TURN,
    'SimpleQueue': IN_TURN,
    'Queue of capacity 1': (
        'each item needs a turn there and one back, over two processors; goroutines change places '
        'on one, without the kernel.'),
    'Queue hand-off': TWO_SWITCHES,
    'LifoQueue': LOCK_PAIRS,
    'PriorityQueue': LOCK_PAIRS,
    'bulk put and get of 32': (
        'one claim serves 32 items; what is left is two moves, two stamps and the lines that '
        'travel.'),
    'Timer start + cancel': WHOLE_THREAD,
    'Timer, a million pending': WHOLE_THREAD,
    'Condition': (
        'as in Python it has an RLock of its own where no lock is given: that alone is 16, the list '
        'of waiters 8 ([decision](decisions/0004-condition.md)).'),
    'Timer lateness': (
        'a thousand timers in 100 ms are a thousand threads that want a processor in 100 ms. The floor '
        'is a thread for each that sleeps until its time: it is late by '
        '{timer/lateness/1000 | std::jthread + cv | latest ns}.'),
}
