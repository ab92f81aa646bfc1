# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Why a row of goals.py is not met, on a machine where it is not, and where the floor is."""

TWO_SWITCHES = (
    'on one processor a turn is two switches of the kernel, and the floor a futex each way; '
    'goroutines change places without the kernel.')
WHOLE_THREAD = (
    'a Timer is a whole Thread: its record, function, stop state and place in the list are made and '
    'freed, the registry is held three times, the clock is read once; how many instructions that '
    'are stands below. What a locked operation costs (half of *Lock uncontended*) decides the rest.')
LOCK_PAIRS = (
    'alone, put and get are a lock and an unlock each, as with the standard library: these four '
    'operations are the floor, twice *Lock uncontended*, which is more than the goal. With others '
    'there the goal is met.')

WHY = {
    'Lock contended': (
        'who is ahead with 50 ns and more inside lets one thread keep the lock for long (the '
        'processor time of nsync and absl is their wall time: the other processor sleeps). A waiter '
        'of thrum looks at the word a few times before it sleeps, which takes the line from the '
        'holder; and who starves is handed the lock, see the rows on fairness. The floor of a turn '
        'is the time inside, one compare-exchange and one exchange.'),
    'Lock fairness: longest wait': (
        'the lock is handed over at the first release after a waiter has starved for a millisecond; '
        'then that waiter still needs a processor, which the scheduler may have given to another '
        'thread.'),
    'Lock fairness: what it costs': (
        'the middle 80 % of the pairs lie on both sides of 1, in each shape that is over.'),
    'Semaphore hand-off': (
        'a cache line travels twice for each turn: the spinning floor of the same case moves with '
        'the place that the host gives the two processors.'),
    'Semaphore contended': (
        'level with the best, whose waiters no stop token ends.'),
    'Event ping-pong': TWO_SWITCHES,
    'Event wake of 1, 8, 64': (
        "one system call wakes all, as in the floor; which of them runs when is the scheduler's."),
    'Condition ping-pong, one core': TWO_SWITCHES,
    'Queue bounded, put + get + task_done': (
        'an item takes three locked operations (the claims of put and get, the count of tasks), '
        'each half of *Lock uncontended*; the rest is two moves, two stamps and the lines that '
        'travel.'),
    'Queue of strings': (
        'an item is a malloc in one thread and a free in another. Both go on at once here and fight '
        'for the lock of an arena of glibc; a deque under a lock, or Go, that keep one thread running '
        'for a while, do not notice. With another malloc (the row with mimalloc) the same queue takes '
        'mostly a quarter of the time, and is then level with crossbeam, which of all the peers does '
        'most alike.'),
    'Queue of unique_ptr': (
        'as with strings: malloc and free at once in two threads.'),
    'Queue unbounded': (
        "a deque whose lock one thread keeps for a while stays in that thread's cache; here each "
        'item changes processors. Behind only where several put and one gets, or nearly level.'),
    'SimpleQueue': (
        'the same queue as the one without a limit, for the same reason.'),
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
        'a thousand timers in 100 ms are a thousand threads made in 100 ms, on all processors.'),
}
