// SPDX-FileCopyrightText: thrum contributors
// SPDX-License-Identifier: MIT

// thrum_bench_go SHAPE... OPERATIONS does the operations in the shape of ../../shapes.h, with
// goroutines for threads, and prints wall ns, CPU ns and voluntary context switches of all of them.
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

type cost struct{ wallNs, cpuNs, sleeps float64 }

var epoch = time.Now()

func soFar() cost {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		panic(err)
	}
	cpu := usage.Utime.Nano() + usage.Stime.Nano()
	return cost{float64(time.Since(epoch).Nanoseconds()), float64(cpu), float64(usage.Nvcsw)}
}

func since(begin cost) cost {
	now := soFar()
	return cost{now.wallNs - begin.wallNs, now.cpuNs - begin.cpuNs, now.sleeps - begin.sleeps}
}

var sink uint64

// A chain of dependent steps, so that its length is time.
func step(times uint64) uint64 {
	x := times
	for ; times != 0; times-- {
		x = x*3 + 1
	}
	return x
}

func stepsPerNs() float64 {
	const steps = 200000
	best := time.Hour
	for i := 0; i < 20; i++ {
		begin := time.Now()
		sink += step(steps)
		if took := time.Since(begin); took < best {
			best = took
		}
	}
	return steps / float64(best.Nanoseconds())
}

// From when all have come up until all are done.
func together(count int, body func(index int)) cost {
	var up, done sync.WaitGroup
	open := make(chan struct{})
	up.Add(count)
	done.Add(count)
	for i := 0; i < count; i++ {
		go func(index int) {
			up.Done()
			<-open
			body(index)
			done.Done()
		}(i)
	}
	up.Wait()
	begin := soFar()
	close(open)
	done.Wait()
	return since(begin)
}

func lock(threads int, insideNs, outsideNs float64, n uint64) cost {
	var mutex sync.Mutex
	if threads == 1 && insideNs == 0 {
		begin := soFar()
		for i := uint64(0); i < n; i++ {
			mutex.Lock()
			mutex.Unlock()
		}
		return since(begin)
	}
	perNs := stepsPerNs()
	inside, outside := uint64(insideNs*perNs), uint64(outsideNs*perNs)
	var count uint64
	results := make([]uint64, threads*8)
	return together(threads, func(index int) {
		for {
			mutex.Lock()
			more := count < n
			if more {
				count++
			}
			x := step(inside)
			mutex.Unlock()
			results[index*8] += x + step(outside)
			if !more {
				return
			}
		}
	})
}

// Hands out the numbers below n, a few at a time.
func draw(next *uint64, n uint64, each func(number uint64)) {
	const few = 16
	for {
		from := atomic.AddUint64(next, few) - few
		if from >= n {
			return
		}
		for number := from; number < from+few && number < n; number++ {
			each(number)
		}
	}
}

func flow[T any](putters, getters, limit int, n uint64, of func(uint64) T, number func(T) uint64) cost {
	channel := make(chan T, limit)
	var puts, gets, total uint64
	result := together(putters+getters, func(index int) {
		if index < putters {
			draw(&puts, n, func(number uint64) { channel <- of(number) })
			return
		}
		var sum uint64
		draw(&gets, n, func(uint64) { sum += number(<-channel) })
		atomic.AddUint64(&total, sum)
	})
	var expected uint64
	for i := uint64(0); i < n; i++ {
		expected += i
	}
	if total != expected {
		panic("flow: wrong result")
	}
	return result
}

func queue(putters, getters, limit int, kind string, n uint64) cost {
	switch kind {
	case "number":
		same := func(number uint64) uint64 { return number }
		return flow(putters, getters, limit, n, same, same)
	case "string":
		return flow(putters, getters, limit, n, func(number uint64) []byte {
			item := make([]byte, 32)
			for i := range item {
				item[i] = 'x'
			}
			binary.LittleEndian.PutUint64(item, number)
			return item
		}, binary.LittleEndian.Uint64)
	case "unique_ptr":
		return flow(putters, getters, limit, n, func(number uint64) *uint64 { return &number },
			func(item *uint64) uint64 { return *item })
	}
	panic(kind)
}

func pingPong(limit int, n uint64) cost {
	there, back := make(chan uint64, limit), make(chan uint64, limit)
	return together(2, func(index int) {
		for i := uint64(0); i < n; i++ {
			if index == 0 {
				there <- 1
				<-back
			} else {
				<-there
				back <- 1
			}
		}
	})
}

func threads(each int, n uint64) cost {
	begin := soFar()
	for i := uint64(0); i < n; i++ {
		var done sync.WaitGroup
		done.Add(each)
		for j := 0; j < each; j++ {
			go done.Done()
		}
		done.Wait()
	}
	return since(begin)
}

func timer(pending int, n uint64) cost {
	nothing := func() {}
	for i := 0; i < pending; i++ {
		time.AfterFunc(time.Hour+time.Duration(i)*time.Microsecond, nothing)
	}
	begin := soFar()
	for i := uint64(0); i < n; i++ {
		time.AfterFunc(time.Hour, nothing).Stop()
	}
	return since(begin)
}

func main() {
	arguments := os.Args[1:]
	number := func(i int) int {
		value, err := strconv.Atoi(arguments[i])
		if err != nil {
			panic(err)
		}
		return value
	}
	n := uint64(number(len(arguments) - 1))
	var result cost
	switch arguments[0] {
	case "lock":
		result = lock(number(1), float64(number(2)), float64(number(3)), n)
	case "queue":
		result = queue(number(1), number(2), number(3), arguments[4], n)
	case "ping-pong":
		result = pingPong(number(1), n)
	case "threads":
		result = threads(number(1), n)
	case "timer":
		result = timer(number(1), n)
	default:
		panic(arguments[0])
	}
	fmt.Printf("%f %f %f\n", result.wallNs, result.cpuNs, result.sleeps)
}
