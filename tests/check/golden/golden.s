# SPDX-FileCopyrightText: thrum contributors
# SPDX-License-Identifier: MIT
#
# A program of which no compiler or linker decides a byte: the hash of an execution is made of the
# addresses of its operations, too. All that threads do is in the section .golden, which is linked
# to a fixed address; see golden_test.py.
#
#   int golden(int argc):  argc < 2: two threads add 1, by a load and a store; 1 if one was lost
#                          else:     two threads lock a and b, and b and a
        .section .golden, "ax", @progbits

add:    push    %rbx
        lea     count(%rip), %rdi
        mov     $5, %esi
        call    __tsan_atomic32_load@PLT
        lea     1(%rax), %esi
        lea     count(%rip), %rdi
        mov     $5, %edx
        call    __tsan_atomic32_store@PLT
        xor     %eax, %eax
        pop     %rbx
        ret

left_then_right:
        push    %rbx
        lea     left(%rip), %rdi
        call    pthread_mutex_lock@PLT
        lea     right(%rip), %rdi
        call    pthread_mutex_lock@PLT
        lea     right(%rip), %rdi
        call    pthread_mutex_unlock@PLT
        lea     left(%rip), %rdi
        call    pthread_mutex_unlock@PLT
        xor     %eax, %eax
        pop     %rbx
        ret

right_then_left:
        push    %rbx
        lea     right(%rip), %rdi
        call    pthread_mutex_lock@PLT
        lea     left(%rip), %rdi
        call    pthread_mutex_lock@PLT
        lea     left(%rip), %rdi
        call    pthread_mutex_unlock@PLT
        lea     right(%rip), %rdi
        call    pthread_mutex_unlock@PLT
        xor     %eax, %eax
        pop     %rbx
        ret

        .globl  golden
        .type   golden, @function
golden: push    %rbx
        push    %r12
        push    %r13
        lea     add(%rip), %rbx
        mov     %rbx, %r12
        cmp     $2, %edi
        jl      1f
        lea     left_then_right(%rip), %rbx
        lea     right_then_left(%rip), %r12
1:      lea     first(%rip), %rdi
        xor     %esi, %esi
        mov     %rbx, %rdx
        xor     %ecx, %ecx
        call    pthread_create@PLT
        lea     second(%rip), %rdi
        xor     %esi, %esi
        mov     %r12, %rdx
        xor     %ecx, %ecx
        call    pthread_create@PLT
        mov     first(%rip), %rdi
        xor     %esi, %esi
        call    pthread_join@PLT
        mov     second(%rip), %rdi
        xor     %esi, %esi
        call    pthread_join@PLT
        xor     %eax, %eax
        lea     add(%rip), %rcx
        cmp     %rcx, %rbx
        jne     2f
        cmpl    $2, count(%rip)
        setne   %al
2:      pop     %r13
        pop     %r12
        pop     %rbx
        ret
        .size   golden, . - golden

        .local  count, left, right, first, second
        .comm   count, 4, 4
        .comm   left, 40, 8
        .comm   right, 40, 8
        .comm   first, 8, 8
        .comm   second, 8, 8
        .section .note.GNU-stack, "", @progbits
