// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT
//
// thrum_bench_rust SHAPE... OPERATIONS: does the operations in the shape of ../../shapes.h, and
// prints wall ns, CPU ns and voluntary context switches of all of them.

use crossbeam_channel::{bounded, unbounded, Receiver, Sender};
use parking_lot::{Condvar, Mutex, ReentrantMutex};
use std::collections::VecDeque;
use std::hint::black_box;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

#[derive(Clone, Copy, Default)]
struct Cost {
    wall_ns: f64,
    cpu_ns: f64,
    sleeps: f64,
}

fn clock_ns(clock: libc::clockid_t) -> f64 {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    unsafe { libc::clock_gettime(clock, &mut now) };
    now.tv_sec as f64 * 1e9 + now.tv_nsec as f64
}

impl Cost {
    fn so_far() -> Cost {
        let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
        unsafe { libc::getrusage(libc::RUSAGE_SELF, &mut usage) };
        Cost {
            wall_ns: clock_ns(libc::CLOCK_MONOTONIC),
            cpu_ns: clock_ns(libc::CLOCK_PROCESS_CPUTIME_ID),
            sleeps: usage.ru_nvcsw as f64,
        }
    }
    fn since(begin: Cost) -> Cost {
        let now = Cost::so_far();
        Cost {
            wall_ns: now.wall_ns - begin.wall_ns,
            cpu_ns: now.cpu_ns - begin.cpu_ns,
            sleeps: now.sleeps - begin.sleeps,
        }
    }
}

// A chain of dependent steps, so that its length is time.
fn step(times: u64) {
    let mut x = times;
    for _ in 0..times {
        x = black_box(x.wrapping_mul(3).wrapping_add(1));
    }
}

fn steps_per_ns() -> f64 {
    const STEPS: u64 = 200_000;
    let mut best = f64::INFINITY;
    for _ in 0..20 {
        let begin = Instant::now();
        step(STEPS);
        best = best.min(begin.elapsed().as_nanos() as f64);
    }
    STEPS as f64 / best
}

fn alone(n: u64, mut once: impl FnMut()) -> Cost {
    let begin = Cost::so_far();
    for _ in 0..n {
        once();
    }
    Cost::since(begin)
}

// From when the last thread has come up until all are done.
fn time_threads(threads: usize, body: impl Fn(usize) + Send + Sync + 'static) -> Cost {
    let body = Arc::new(body);
    let up = Arc::new(AtomicUsize::new(0));
    let done = Arc::new(AtomicUsize::new(0));
    let open = Arc::new(AtomicBool::new(false));
    let costs = Arc::new(Mutex::new((Cost::default(), Cost::default())));
    let running: Vec<_> = (0..threads)
        .map(|index| {
            let (body, up, done) = (body.clone(), up.clone(), done.clone());
            let (open, costs) = (open.clone(), costs.clone());
            thread::spawn(move || {
                if up.fetch_add(1, Ordering::AcqRel) + 1 == threads {
                    costs.lock().0 = Cost::so_far();
                    open.store(true, Ordering::Release);
                }
                while !open.load(Ordering::Acquire) {
                    thread::yield_now();
                }
                body(index);
                if done.fetch_add(1, Ordering::AcqRel) + 1 == threads {
                    let begin = costs.lock().0;
                    costs.lock().1 = Cost::since(begin);
                }
            })
        })
        .collect();
    for thread in running {
        thread.join().unwrap();
    }
    let cost = costs.lock().1;
    cost
}

fn lock(threads: usize, inside_ns: f64, outside_ns: f64, n: u64) -> Cost {
    if threads == 1 && inside_ns == 0.0 {
        let lock = Mutex::new(());
        return alone(n, || drop(black_box(&lock).lock()));
    }
    let steps = steps_per_ns();
    let (inside, outside) = ((inside_ns * steps) as u64, (outside_ns * steps) as u64);
    let count = Arc::new(Mutex::new(0u64));
    time_threads(threads, move |_| loop {
        let mut guard = count.lock();
        let more = *guard < n;
        *guard += more as u64;
        step(inside);
        drop(guard);
        step(outside);
        if !more {
            return;
        }
    })
}

fn timed_lock(n: u64) -> Cost {
    let lock = Mutex::new(());
    alone(n, || drop(black_box(&lock).try_lock_for(Duration::from_secs(1))))
}

fn rlock(depth: u64, n: u64) -> Cost {
    let lock = ReentrantMutex::new(());
    alone(n, || {
        let outer = black_box(&lock).lock();
        if depth == 2 {
            drop(black_box(&lock).lock());
        }
        drop(outer);
    })
}

trait Item: Send + 'static {
    fn of(number: u64) -> Self;
    fn number(&self) -> u64;
}
impl Item for u64 {
    fn of(number: u64) -> u64 {
        number
    }
    fn number(&self) -> u64 {
        *self
    }
}
impl Item for Box<u64> {
    fn of(number: u64) -> Box<u64> {
        Box::new(number)
    }
    fn number(&self) -> u64 {
        **self
    }
}
impl Item for Vec<u8> {
    fn of(number: u64) -> Vec<u8> {
        let mut item = vec![b'x'; 32];
        item[..8].copy_from_slice(&number.to_ne_bytes());
        item
    }
    fn number(&self) -> u64 {
        u64::from_ne_bytes(self[..8].try_into().unwrap())
    }
}

// Hands out the numbers below n, a few at a time.
fn draw(next: &AtomicU64, n: u64, mut each: impl FnMut(u64)) {
    const FEW: u64 = 16;
    loop {
        let from = next.fetch_add(FEW, Ordering::Relaxed);
        if from >= n {
            return;
        }
        for number in from..n.min(from + FEW) {
            each(number);
        }
    }
}

fn flow<T: Item>(
    putters: usize,
    getters: usize,
    n: u64,
    put: impl Fn(T) + Send + Sync + 'static,
    get: impl Fn() -> T + Send + Sync + 'static,
) -> Cost {
    let (puts, gets) = (AtomicU64::new(0), AtomicU64::new(0));
    let total = Arc::new(AtomicU64::new(0));
    let sum_of_all = total.clone();
    let cost = time_threads(putters + getters, move |index| {
        if index < putters {
            draw(&puts, n, |number| put(T::of(number)));
        } else {
            let mut sum = 0u64;
            draw(&gets, n, |_| sum = sum.wrapping_add(get().number()));
            total.fetch_add(sum, Ordering::Relaxed);
        }
    });
    let expected = (0..n).fold(0u64, u64::wrapping_add);
    assert_eq!(sum_of_all.load(Ordering::Relaxed), expected);
    cost
}

fn channel<T>(limit: usize) -> (Sender<T>, Receiver<T>) {
    if limit == 0 {
        unbounded()
    } else {
        bounded(limit)
    }
}

fn queue<T: Item>(putters: usize, getters: usize, limit: usize, n: u64) -> Cost {
    let (sender, receiver) = channel::<T>(limit);
    flow(
        putters,
        getters,
        n,
        move |item| sender.send(item).unwrap(),
        move || receiver.recv().unwrap(),
    )
}

fn ping_pong(limit: usize, n: u64) -> Cost {
    let there = channel::<u64>(limit);
    let back = channel::<u64>(limit);
    time_threads(2, move |index| {
        for _ in 0..n {
            if index == 0 {
                there.0.send(1).unwrap();
                back.1.recv().unwrap();
            } else {
                there.1.recv().unwrap();
                back.0.send(1).unwrap();
            }
        }
    })
}

struct Monitor<T> {
    state: Mutex<T>,
    not_empty: Condvar,
    not_full: Condvar,
}

fn monitor<T>(state: T) -> Arc<Monitor<T>> {
    Arc::new(Monitor {
        state: Mutex::new(state),
        not_empty: Condvar::new(),
        not_full: Condvar::new(),
    })
}

fn condition(putters: usize, getters: usize, limit: usize, n: u64) -> Cost {
    let putter = monitor(VecDeque::new());
    let getter = putter.clone();
    flow(
        putters,
        getters,
        n,
        move |item: u64| {
            let mut items = putter.state.lock();
            putter.not_full.wait_while(&mut items, |items| items.len() == limit);
            items.push_back(item);
            drop(items);
            putter.not_empty.notify_one();
        },
        move || {
            let mut items = getter.state.lock();
            getter.not_empty.wait_while(&mut items, |items| items.is_empty());
            let item = items.pop_front().unwrap();
            drop(items);
            getter.not_full.notify_one();
            item
        },
    )
}

fn condition_ping_pong(n: u64) -> Cost {
    let gates = [monitor(false), monitor(false)];
    let set = |gate: &Monitor<bool>| {
        *gate.state.lock() = true;
        gate.not_empty.notify_all();
    };
    let wait = |gate: &Monitor<bool>| {
        let mut state = gate.state.lock();
        gate.not_empty.wait_while(&mut state, |set| !*set);
        *state = false;
    };
    time_threads(2, move |index| {
        for _ in 0..n {
            if index == 0 {
                set(&gates[0]);
                wait(&gates[1]);
            } else {
                wait(&gates[0]);
                set(&gates[1]);
            }
        }
    })
}

fn threads(each: usize, n: u64) -> Cost {
    alone(n, || {
        let running: Vec<_> = (0..each).map(|_| thread::spawn(|| {})).collect();
        for thread in running {
            thread.join().unwrap();
        }
    })
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |i: usize| arguments[i].parse::<usize>().unwrap();
    let n = arguments.last().unwrap().parse::<u64>().unwrap();
    // Somebody else lives, as beside every contender.
    thread::spawn(|| loop {
        thread::park();
    });
    let cost = match arguments[0].as_str() {
        "lock" => lock(number(1), number(2) as f64, number(3) as f64, n),
        "timed-lock" => timed_lock(n),
        "rlock" => rlock(number(1) as u64, n),
        "queue" => match arguments[4].as_str() {
            "number" => queue::<u64>(number(1), number(2), number(3), n),
            "string" => queue::<Vec<u8>>(number(1), number(2), number(3), n),
            "unique_ptr" => queue::<Box<u64>>(number(1), number(2), number(3), n),
            other => panic!("{other}"),
        },
        "ping-pong" => ping_pong(number(1), n),
        "condition" => condition(number(1), number(2), number(3), n),
        "condition-ping-pong" => condition_ping_pong(n),
        "threads" => threads(number(1), n),
        other => panic!("{other}"),
    };
    println!("{} {} {}", cost.wall_ns, cost.cpu_ns, cost.sleeps);
}
