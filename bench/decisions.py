# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""What the pages of docs/decisions weighed, as edits of the library: see compare.py.

DECISION: (cases, variants). A case is a name and a contender of thrum_bench; a variant is a list of
(file, old text, new text).
"""

BACKOFF = 'include/thrum/backoff.h'
YIELDS = 'kYields = 8'
GROWING = 'growing() noexcept { return Backoff(4, true); }'
EVEN = 'even() noexcept { return Backoff(31, false, true); }'


def spin(yields=8, growing=(4, 'true'), even=31):
    edits = []
    if yields != 8:
        edits.append((BACKOFF, YIELDS, f'kYields = {yields}'))
    if growing != (4, 'true'):
        edits.append((BACKOFF, GROWING, GROWING.replace('4, true', '{}, {}'.format(*growing))))
    if even != 31:
        edits.append((BACKOFF, EVEN, EVEN.replace('31', str(even))))
    return edits


LOCK, QUEUE, DONE = 'thrum::Lock', 'thrum::Queue', 'thrum::Queue, task_done'
SEVERAL = ('include/thrum/ring_store.h', 'if (recycles_) return true;  ', 'return true;  ')
LINE = [('include/thrum/queue.h', '''  std::string name_;
  alignas(64) TaskCount tasks_;''', '''  alignas(64) TaskCount tasks_;
  std::string name_;''')]

ALARM = ('src/threading/lock.cpp',
         'alarm = !starving && !reserved && (slept || (word & kSleepers) != 0);', 'alarm = {};')
PATIENCE = ('src/threading/lock.cpp', 'kPatience_ns = 1\'000\'000;', 'kPatience_ns = INT64_MAX;')


def alarm(when):
    file, old, new = ALARM
    return (file, old, new.format(when))


DECISIONS = {
    '0002-fairness': (
        [(f'lock/{shape}', LOCK) for shape in
         ('fairness/cs=50', 'fairness/cs=1000', 'contended/T=2/cs=1000', 'contended/T=4/cs=1000',
          'contended/T=8/cs=50', 'contended/T=8/cs=1000', 'contended/T=8/cs=5000',
          'one-cpu/T=4/cs=1000')],
        {'an alarm for every sleep': [alarm('!starving && !reserved')],
         'no alarm': [alarm('false')], 'nobody pleads': [alarm('false'), PATIENCE]}),
    '0003-spin': (
        [('lock/contended/T=2/cs=0', LOCK), ('lock/contended/T=4/cs=50', LOCK),
         ('lock/contended/T=16/cs=0', LOCK), ('lock/contended/T=8/cs=1000', LOCK),
         ('lock/one-cpu/T=4/cs=50', LOCK), ('queue/1:1/number/capacity=1', QUEUE),
         ('queue/1:1/number/capacity=64', QUEUE), ('queue/4:4/number/capacity=64', QUEUE),
         ('semaphore/ping-pong/apart', 'thrum::Semaphore'),
         ('semaphore/ping-pong/one-cpu', 'thrum::Semaphore')],
        {'no spin': spin(0, (1, 'true'), 1),  # one look: who comes back from sleep needs it
         'pauses only': spin(0), 'yields only': spin(growing=(0, 'true'), even=0),
         '1 yield': spin(1), '32 yields': spin(32),
         'pauses not growing': spin(growing=(15, 'false')),
         '4 x pauses': spin(growing=(6, 'true'), even=124)}),
    '0003-learns': (
        [('event/ping-pong/one-cpu', 'thrum::Event'),
         ('semaphore/ping-pong/one-cpu', 'thrum::Semaphore'),
         ('condition/ping-pong/one-cpu', 'thrum::Condition'),
         ('queue/ping-pong/one-cpu/capacity=1', QUEUE),
         ('event/ping-pong/apart', 'thrum::Event'), ('semaphore/ping-pong/apart', 'thrum::Semaphore'),
         ('queue/ping-pong/apart/capacity=1', QUEUE), ('queue/1:1/number/capacity=1', QUEUE),
         ('queue/2:2/number/capacity=1', QUEUE), ('queue/4:4/number/capacity=64', QUEUE),
         ('condition/4:4/capacity=16', 'thrum::Condition')],
        {'always pauses': [(BACKOFF, 'before_ >= kSeldom && ', 'false && ')],
         'learns from pauses alone': [(BACKOFF, 'now() - start > kTaken', 'now() >= start')]}),
    '0003-woken': (
        [(f'lock/contended/T={threads}/cs=1000', LOCK) for threads in (2, 4, 8, 16)] +
        [('lock/contended/T=8/cs=5000', LOCK), ('lock/one-cpu/T=4/cs=1000', LOCK)],
        {'sleeps again at once': [('src/threading/lock.cpp',
                                   'if (spin(me | kSleepers)) return true;', '')]}),
    '0005-room': (
        [(f'queue/{sides}/number/capacity={limit}', DONE)
         for limit in (64, 1024) for sides in ('1:1', '1:4', '2:2', '4:1', '4:4')],
        {'any free slot will do': [SEVERAL], 'name beside the tasks': LINE,
         'both': [SEVERAL, *LINE]}),
}
