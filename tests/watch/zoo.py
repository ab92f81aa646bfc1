#!/usr/bin/env python3
# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
"""Runs real programs with and without thrum watch: what they say and how they end must be the same,
and no deadlock may be announced.

zoo.py [--small] [NAME...]: all that this machine can run, or those named. --small: those that need
nothing installed. What is missing is installed if that is possible (ci/setup.sh), else said.
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).parents[2]
THRUM = os.environ.get('THRUM', str(ROOT / 'build/default/bin/thrum'))

PYTHON = '''
import queue, threading
jobs, done = queue.Queue(8), queue.Queue()
def work():
    while (n := jobs.get()) is not None:
        done.put(n * n)
threads = [threading.Thread(target=work) for _ in range(4)]
for thread in threads: thread.start()
for n in range(2000): jobs.put(n)
for _ in threads: jobs.put(None)
for thread in threads: thread.join()
print(sum(done.queue))
'''
FORKS = '''
import os, sys, threading
for n in range(20):
    if (pid := os.fork()) == 0:
        thread = threading.Thread(target=lambda: None); thread.start(); thread.join()
        os._exit(n)
    print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
'''
CXX = r'''
#include <barrier>
#include <condition_variable>
#include <cstdio>
#include <future>
#include <latch>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <thread>
#include <vector>
int main() {
  std::mutex m; std::shared_mutex s; std::condition_variable c; std::counting_semaphore<4> p(2);
  std::barrier b(4); std::latch l(4); std::once_flag o; std::promise<int> v; bool on = false; long n = 0;
  auto f = v.get_future().share();
  std::vector<std::jthread> t;
  for (int i = 0; i < 4; ++i) t.emplace_back([&] {
    for (int k = 0; k < 500; ++k) {
      p.acquire(); { std::lock_guard g(m); ++n; } p.release();
      if (k % 50 == 0) { std::unique_lock w(s); } else { std::shared_lock r(s); }
      if (k % 100 == 0) b.arrive_and_wait();
    }
    std::call_once(o, [] {}); l.count_down(); l.wait(); f.wait();
    std::unique_lock g(m); c.wait(g, [&] { return on; });
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(5));
  v.set_value(1); { std::lock_guard g(m); on = true; } c.notify_all(); t.clear();
  int a = std::async(std::launch::async, [] { return 2; }).get();
  std::printf("%ld %d\n", n, a);
}
'''
DLOPEN = r'''
#include <dlfcn.h>
#include <stdio.h>
int main(void) {
  for (int i = 0; i < 20; ++i) {
    void* l = dlopen("./plugin.so", RTLD_NOW);
    int (*f)(void) = (int (*)(void))dlsym(l, "run");
    printf("%d\n", f());
    dlclose(l);
  }
}
'''
PLUGIN = r'''
#include <pthread.h>
static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
static int n;
static void* f(void* p) { for (int i = 0; i < 100; ++i) { pthread_mutex_lock(&m); ++n; pthread_mutex_unlock(&m); } return p; }
int run(void) { pthread_t t[4]; n = 0;
  for (int i = 0; i < 4; ++i) pthread_create(t + i, 0, f, 0);
  for (int i = 0; i < 4; ++i) pthread_join(t[i], 0);
  return n; }
'''
MANY = r'''
#include <cstdio>
#include <thread>
#include <vector>
int main() { int n = 0; for (int i = 0; i < 5; ++i) { std::vector<std::jthread> t;
  for (int k = 0; k < 1000; ++k) t.emplace_back([] {}); n += 1000; } std::printf("%d\n", n); }
'''
GO = '''
package main
import ("fmt"; "sync")
func main() { var m sync.Mutex; var w sync.WaitGroup; n := 0
  for i := 0; i < 8; i++ { w.Add(1); go func() { defer w.Done(); for k := 0; k < 1000; k++ { m.Lock(); n++; m.Unlock() } }() }
  w.Wait(); fmt.Println(n) }
'''
JAVA = '''
import java.util.concurrent.*;
public class Main { public static void main(String[] a) throws Exception {
  ExecutorService e = Executors.newFixedThreadPool(4); Future<Integer>[] f = new Future[100];
  for (int i = 0; i < 100; i++) { int n = i; f[i] = e.submit(() -> n * n); }
  int s = 0; for (Future<Integer> x : f) s += x.get(); e.shutdown(); System.out.println(s); } }
'''
NODE = '''
const {Worker, isMainThread, parentPort} = require("worker_threads");
if (!isMainThread) { parentPort.postMessage(6 * 7); }
else { let n = 0, left = 4; for (let i = 0; i < 4; i++) { const w = new Worker(__filename);
  w.on("message", m => { n += m; }); w.on("exit", () => { if (--left == 0) console.log(n); }); } }
'''
DATA = 'for i in $(seq 4000); do echo "$i the same line, more or less $((i % 17))"; done > data; '

# name: (command for sh, files to write, programs that must be there, package that has them)
ZOO = {
    'sh': ('echo a; exit 3', {}, [], ''),
    'signal': ('kill -9 $$', {}, [], ''),
    'segv': ('kill -SEGV $$', {}, [], ''),
    'pipeline': (DATA + 'sort data | uniq -c | sort -rn | awk "{s+=\\$1} END {print s}"', {}, [], ''),
    'sort': (DATA + 'sort --parallel=4 -S 1M data | md5sum', {}, [], ''),
    'python': ('python3 x.py', {'x.py': PYTHON}, ['python3'], ''),
    'forks': ('python3 x.py', {'x.py': FORKS}, ['python3'], ''),
    'xz': (DATA + 'xz -T2 -0 -c data | xz -dc | md5sum', {}, ['xz'], 'xz-utils'),
    'cxx': ('c++ -std=c++20 -O1 -pthread x.cpp && ./a.out', {'x.cpp': CXX}, ['c++'], ''),
    'dlopen': ('cc -shared -fPIC -o plugin.so p.c && cc x.c && ./a.out',
               {'x.c': DLOPEN, 'p.c': PLUGIN}, ['cc'], ''),
    'threads': ('c++ -std=c++20 -O1 -pthread x.cpp && ./a.out', {'x.cpp': MANY}, ['c++'], ''),
    'static': ('c++ -std=c++20 -O1 -static -pthread x.cpp && ./a.out', {'x.cpp': MANY}, ['c++'], ''),
    'asan': ('c++ -std=c++20 -g -fsanitize=address -pthread x.cpp && ./a.out', {'x.cpp': CXX}, ['c++'], ''),
    'tsan': ('c++ -std=c++20 -g -fsanitize=thread -pthread x.cpp && ./a.out', {'x.cpp': CXX}, ['c++'], ''),
    'setuid': ('passwd --help >/dev/null; su --version | head -1', {}, ['su'], ''),
    'git': ('git init -q r && cd r && git -c user.name=a -c user.email=b commit -q --allow-empty -m x '
            '&& git log --format=%s && git gc -q', {}, ['git'], ''),
    'pigz': (DATA + 'pigz -p4 -c data | pigz -dc | md5sum', {}, ['pigz'], 'pigz'),
    'redis': ('redis-server --port 0 --unixsocket ./s --save "" --daemonize no >/dev/null & '
              'until redis-cli -s ./s ping >/dev/null 2>&1; do sleep 0.05; done; '
              'redis-cli -s ./s incrby n 41; redis-cli -s ./s incr n; redis-cli -s ./s shutdown; wait; echo $?',
              {}, ['redis-server'], 'redis-server'),
    # Not --mutex: as root its threads take real-time priorities, and the processors from all others.
    'stress-ng': ('stress-ng --quiet --sem 2 --futex 2 --pthread 2 --fork 1 '
                  '--sem-ops 2000 --futex-ops 2000 --pthread-ops 50 --fork-ops 50; echo $?',
                  {}, ['stress-ng'], 'stress-ng'),
    'gdb': ('gdb -q -batch -ex run -ex "info threads" --args /bin/echo hello 2>/dev/null | grep -o "hello"',
            {}, ['gdb'], 'gdb'),
    'java': ('javac Main.java && java Main', {'Main.java': JAVA}, ['javac'], 'default-jdk-headless'),
    'node': ('node x.js', {'x.js': NODE}, ['node'], 'nodejs'),
    'go': ('HOME=$PWD go build -o x x.go && ./x', {'x.go': GO}, ['go'], 'golang-go'),
    'chromium': ('timeout 60 chromium --headless --no-sandbox --disable-gpu --user-data-dir=$PWD/c '
                 '--dump-dom "data:text/html,<p>hello" 2>/dev/null', {}, ['chromium'], 'chromium'),
}
SMALL = ('sh', 'signal', 'segv', 'pipeline', 'sort', 'python', 'forks', 'setuid')


def run(words, files, extra):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in files.items():
            pathlib.Path(folder, name).write_text(text)
        try:
            done = subprocess.run(words, cwd=folder, stdin=subprocess.DEVNULL, capture_output=True,
                                  text=True, errors='replace', timeout=300, env={**os.environ, **extra})
        except subprocess.TimeoutExpired:
            return 'it hangs', '', ''
        return done.returncode, done.stdout, done.stderr


def main():
    names = [name for name in sys.argv[1:] if not name.startswith('-')]
    small = '--small' in sys.argv
    bad = 0
    for name, (command, files, needs, package) in ZOO.items():
        if (names and name not in names) or (small and name not in SMALL):
            continue
        if not small and package and not all(map(shutil.which, needs)):
            subprocess.run([ROOT / 'ci/setup.sh', package], check=False, stderr=subprocess.DEVNULL)
        if not all(map(shutil.which, needs)):
            print(f'{name:10} not here: {package or needs[0]}', flush=True)
            continue
        with tempfile.TemporaryDirectory() as out:
            alone = run(['sh', '-c', command], files, {})
            for follow in ([], ['--no-follow']):
                watched = run([THRUM, 'watch', '-q', *follow, '-o', f'{out}/x.thrum', '--',
                               'sh', '-c', command], files, {})
                # A shell says 128 and the number of a signal as a status; so does thrum.
                code = 128 - alone[0] if isinstance(alone[0], int) and alone[0] < 0 else alone[0]
                what = []
                if watched[0] != code:
                    what.append(f'exit {watched[0]}, alone {code}')
                if watched[1] != alone[1]:
                    what.append(f'output {watched[1][-200:]!r}, alone {alone[1][-200:]!r}')
                if re.search(r'^Deadlock', watched[2], re.MULTILINE):
                    what.append('a deadlock announced: ' + watched[2])
                bad += bool(what)
                mode = 'alone' if follow else 'followed'
                print(f'{name:10} {mode:9}', '; '.join(what) or 'the same', flush=True)
    return 1 if bad else 0


if __name__ == '__main__':
    sys.exit(main())
