/**
 * The numbers of system calls, which the kernel never changes, as libseccomp 2.6 knows them: with systemd 257 of Debian 13, that is
 * what decides whether a name is known. Data alone.
 */

/**
 * The names of a call and of the architectures that systemd has for them: x86-64, x86, arm64, arm; then that of x32 if it has
 * another number there, without the bit that all calls of x32 have. "-" for none.
 */
export const CALL_NUMBERS = `
_llseek - 140 - 140
_newselect - 142 - 142
_sysctl 156 149 - 149
accept 43 - 202 285
accept4 288 364 242 366
access 21 33 - 33
acct 163 51 89 51
add_key 248 286 217 309
adjtimex 159 124 171 124
afs_syscall 183 137 - -
alarm 37 27 - -
arch_prctl 158 384 - -
arm_fadvise64_64 - - - 270
arm_sync_file_range - - - 341
bdflush - 134 - 134
bind 49 361 200 282
bpf 321 357 280 386
break - 17 - -
breakpoint - - - 983041
brk 12 45 214 45
cacheflush - - - 983042
cachestat 451 451 451 451
capget 125 184 90 184
capset 126 185 91 185
chdir 80 12 49 12
chmod 90 15 - 15
chown 92 182 - 182
chown32 - 212 - 212
chroot 161 61 51 61
clock_adjtime 305 343 266 372
clock_adjtime64 - 405 - 405
clock_getres 229 266 114 264
clock_getres_time64 - 406 - 406
clock_gettime 228 265 113 263
clock_gettime64 - 403 - 403
clock_nanosleep 230 267 115 265
clock_nanosleep_time64 - 407 - 407
clock_settime 227 264 112 262
clock_settime64 - 404 - 404
clone 56 120 220 120
clone3 435 435 435 435
close 3 6 57 6
close_range 436 436 436 436
connect 42 362 203 283
copy_file_range 326 377 285 391
creat 85 8 - 8
create_module 174 127 - -
delete_module 176 129 106 129
dup 32 41 23 41
dup2 33 63 - 63
dup3 292 330 24 358
epoll_create 213 254 - 250
epoll_create1 291 329 20 357
epoll_ctl 233 255 21 251
epoll_ctl_old 214 - - -
epoll_pwait 281 319 22 346
epoll_pwait2 441 441 441 441
epoll_wait 232 256 - 252
epoll_wait_old 215 - - -
eventfd 284 323 - 351
eventfd2 290 328 19 356
execve 59 11 221 11 520
execveat 322 358 281 387 545
exit 60 1 93 1
exit_group 231 252 94 248
faccessat 269 307 48 334
faccessat2 439 439 439 439
fadvise64 221 250 223 -
fadvise64_64 - 272 - -
fallocate 285 324 47 352
fanotify_init 300 338 262 367
fanotify_mark 301 339 263 368
fchdir 81 133 50 133
fchmod 91 94 52 94
fchmodat 268 306 53 333
fchmodat2 452 452 452 452
fchown 93 95 55 95
fchown32 - 207 - 207
fchownat 260 298 54 325
fcntl 72 55 25 55
fcntl64 - 221 - 221
fdatasync 75 148 83 148
fgetxattr 193 231 10 231
finit_module 313 350 273 379
flistxattr 196 234 13 234
flock 73 143 32 143
fork 57 2 - 2
fremovexattr 199 237 16 237
fsconfig 431 431 431 431
fsetxattr 190 228 7 228
fsmount 432 432 432 432
fsopen 430 430 430 430
fspick 433 433 433 433
fstat 5 108 80 108
fstat64 - 197 - 197
fstatat64 - 300 - 327
fstatfs 138 100 44 100
fstatfs64 - 269 - 267
fsync 74 118 82 118
ftime - 35 - -
ftruncate 77 93 46 93
ftruncate64 - 194 - 194
futex 202 240 98 240
futex_requeue 456 456 456 456
futex_time64 - 422 - 422
futex_wait 455 455 455 455
futex_waitv 449 449 449 449
futex_wake 454 454 454 454
futimesat 261 299 - 326
get_kernel_syms 177 130 - -
get_mempolicy 239 275 236 320
get_robust_list 274 312 100 339 531
get_thread_area 211 244 - -
get_tls - - - 983046
getcpu 309 318 168 345
getcwd 79 183 17 183
getdents 78 141 - 141
getdents64 217 220 61 217
getegid 108 50 177 50
getegid32 - 202 - 202
geteuid 107 49 175 49
geteuid32 - 201 - 201
getgid 104 47 176 47
getgid32 - 200 - 200
getgroups 115 80 158 80
getgroups32 - 205 - 205
getitimer 36 105 102 105
getpeername 52 368 205 287
getpgid 121 132 155 132
getpgrp 111 65 - 65
getpid 39 20 172 20
getpmsg 181 188 - -
getppid 110 64 173 64
getpriority 140 96 141 96
getrandom 318 355 278 384
getresgid 120 171 150 171
getresgid32 - 211 - 211
getresuid 118 165 148 165
getresuid32 - 209 - 209
getrlimit 97 76 163 -
getrusage 98 77 165 77
getsid 124 147 156 147
getsockname 51 367 204 286
getsockopt 55 365 209 295 542
gettid 186 224 178 224
gettimeofday 96 78 169 78
getuid 102 24 174 24
getuid32 - 199 - 199
getxattr 191 229 8 229
getxattrat 464 464 464 464
gtty - 32 - -
idle - 112 - -
init_module 175 128 105 128
inotify_add_watch 254 292 27 317
inotify_init 253 291 - 316
inotify_init1 294 332 26 360
inotify_rm_watch 255 293 28 318
io_cancel 210 249 3 247
io_destroy 207 246 1 244
io_getevents 208 247 4 245
io_pgetevents 333 385 292 399
io_pgetevents_time64 - 416 - 416
io_setup 206 245 0 243 543
io_submit 209 248 2 246 544
io_uring_enter 426 426 426 426
io_uring_register 427 427 427 427
io_uring_setup 425 425 425 425
ioctl 16 54 29 54 514
ioperm 173 101 - -
iopl 172 110 - -
ioprio_get 252 290 31 315
ioprio_set 251 289 30 314
ipc - 117 - -
kcmp 312 349 272 378
kexec_file_load 320 - 294 401
kexec_load 246 283 104 347 528
keyctl 250 288 219 311
kill 62 37 129 37
landlock_add_rule 445 445 445 445
landlock_create_ruleset 444 444 444 444
landlock_restrict_self 446 446 446 446
lchown 94 16 - 16
lchown32 - 198 - 198
lgetxattr 192 230 9 230
link 86 9 - 9
linkat 265 303 37 330
listen 50 363 201 284
listmount 458 458 458 458
listxattr 194 232 11 232
listxattrat 465 465 465 465
llistxattr 195 233 12 233
lock - 53 - -
lookup_dcookie 212 253 18 249
lremovexattr 198 236 15 236
lseek 8 19 62 19
lsetxattr 189 227 6 227
lsm_get_self_attr 459 459 459 459
lsm_list_modules 461 461 461 461
lsm_set_self_attr 460 460 460 460
lstat 6 107 - 107
lstat64 - 196 - 196
madvise 28 219 233 220
map_shadow_stack 453 453 453 453
mbind 237 274 235 319
membarrier 324 375 283 389
memfd_create 319 356 279 385
memfd_secret 447 447 447 -
migrate_pages 256 294 238 400
mincore 27 218 232 219
mkdir 83 39 - 39
mkdirat 258 296 34 323
mknod 133 14 - 14
mknodat 259 297 33 324
mlock 149 150 228 150
mlock2 325 376 284 390
mlockall 151 152 230 152
mmap 9 90 222 -
mmap2 - 192 - 192
modify_ldt 154 123 - -
mount 165 21 40 21
mount_setattr 442 442 442 442
move_mount 429 429 429 429
move_pages 279 317 239 344 533
mprotect 10 125 226 125
mpx - 56 - -
mq_getsetattr 245 282 185 279
mq_notify 244 281 184 278 527
mq_open 240 277 180 274
mq_timedreceive 243 280 183 277
mq_timedreceive_time64 - 419 - 419
mq_timedsend 242 279 182 276
mq_timedsend_time64 - 418 - 418
mq_unlink 241 278 181 275
mremap 25 163 216 163
mseal 462 462 462 462
msgctl 71 402 187 304
msgget 68 399 186 303
msgrcv 70 401 188 302
msgsnd 69 400 189 301
msync 26 144 227 144
munlock 150 151 229 151
munlockall 152 153 231 153
munmap 11 91 215 91
name_to_handle_at 303 341 264 370
nanosleep 35 162 101 162
newfstatat 262 - 79 -
nfsservctl 180 169 42 169
nice - 34 - 34
oldfstat - 28 - -
oldlstat - 84 - -
oldolduname - 59 - -
oldstat - 18 - -
olduname - 109 - -
open 2 5 - 5
open_by_handle_at 304 342 265 371
open_tree 428 428 428 428
openat 257 295 56 322
openat2 437 437 437 437
pause 34 29 - 29
pciconfig_iobase - - - 271
pciconfig_read - - - 272
pciconfig_write - - - 273
perf_event_open 298 336 241 364
personality 135 136 92 136
pidfd_getfd 438 438 438 438
pidfd_open 434 434 434 434
pidfd_send_signal 424 424 424 424
pipe 22 42 - 42
pipe2 293 331 59 359
pivot_root 155 217 41 218
pkey_alloc 330 381 289 395
pkey_free 331 382 290 396
pkey_mprotect 329 380 288 394
poll 7 168 - 168
ppoll 271 309 73 336
ppoll_time64 - 414 - 414
prctl 157 172 167 172
pread64 17 180 67 180
preadv 295 333 69 361 534
preadv2 327 378 286 392 546
prlimit64 302 340 261 369
process_madvise 440 440 440 440
process_mrelease 448 448 448 448
process_vm_readv 310 347 270 376 539
process_vm_writev 311 348 271 377 540
prof - 44 - -
profil - 98 - -
pselect6 270 308 72 335
pselect6_time64 - 413 - 413
ptrace 101 26 117 26 521
putpmsg 182 189 - -
pwrite64 18 181 68 181
pwritev 296 334 70 362 535
pwritev2 328 379 287 393 547
query_module 178 167 - -
quotactl 179 131 60 131
quotactl_fd 443 443 443 443
read 0 3 63 3
readahead 187 225 213 225
readdir - 89 - -
readlink 89 85 - 85
readlinkat 267 305 78 332
readv 19 145 65 145 515
reboot 169 88 142 88
recv - - - 291
recvfrom 45 371 207 292 517
recvmmsg 299 337 243 365 537
recvmmsg_time64 - 417 - 417
recvmsg 47 372 212 297 519
remap_file_pages 216 257 234 253
removexattr 197 235 14 235
removexattrat 466 466 466 466
rename 82 38 - 38
renameat 264 302 38 329
renameat2 316 353 276 382
request_key 249 287 218 310
restart_syscall 219 0 128 0
rmdir 84 40 - 40
rseq 334 386 293 398
rt_sigaction 13 174 134 174 512
rt_sigpending 127 176 136 176 522
rt_sigprocmask 14 175 135 175
rt_sigqueueinfo 129 178 138 178 524
rt_sigreturn 15 173 139 173 513
rt_sigsuspend 130 179 133 179
rt_sigtimedwait 128 177 137 177 523
rt_sigtimedwait_time64 - 421 - 421
rt_tgsigqueueinfo 297 335 240 363 536
sched_get_priority_max 146 159 125 159
sched_get_priority_min 147 160 126 160
sched_getaffinity 204 242 123 242
sched_getattr 315 352 275 381
sched_getparam 143 155 121 155
sched_getscheduler 145 157 120 157
sched_rr_get_interval 148 161 127 161
sched_rr_get_interval_time64 - 423 - 423
sched_setaffinity 203 241 122 241
sched_setattr 314 351 274 380
sched_setparam 142 154 118 154
sched_setscheduler 144 156 119 156
sched_yield 24 158 124 158
seccomp 317 354 277 383
security 185 - - -
select 23 82 - -
semctl 66 394 191 300
semget 64 393 190 299
semop 65 - 193 298
semtimedop 220 - 192 312
semtimedop_time64 - 420 - 420
send - - - 289
sendfile 40 187 71 187
sendfile64 - 239 - 239
sendmmsg 307 345 269 374 538
sendmsg 46 370 211 296 518
sendto 44 369 206 290
set_mempolicy 238 276 237 321
set_mempolicy_home_node 450 450 450 450
set_robust_list 273 311 99 338 530
set_thread_area 205 243 - -
set_tid_address 218 258 96 256
set_tls - - - 983045
setdomainname 171 121 162 121
setfsgid 123 139 152 139
setfsgid32 - 216 - 216
setfsuid 122 138 151 138
setfsuid32 - 215 - 215
setgid 106 46 144 46
setgid32 - 214 - 214
setgroups 116 81 159 81
setgroups32 - 206 - 206
sethostname 170 74 161 74
setitimer 38 104 103 104
setns 308 346 268 375
setpgid 109 57 154 57
setpriority 141 97 140 97
setregid 114 71 143 71
setregid32 - 204 - 204
setresgid 119 170 149 170
setresgid32 - 210 - 210
setresuid 117 164 147 164
setresuid32 - 208 - 208
setreuid 113 70 145 70
setreuid32 - 203 - 203
setrlimit 160 75 164 75
setsid 112 66 157 66
setsockopt 54 366 208 294 541
settimeofday 164 79 170 79
setuid 105 23 146 23
setuid32 - 213 - 213
setxattr 188 226 5 226
setxattrat 463 463 463 463
sgetmask - 68 - -
shmat 30 397 196 305
shmctl 31 396 195 308
shmdt 67 398 197 306
shmget 29 395 194 307
shutdown 48 373 210 293
sigaction - 67 - 67
sigaltstack 131 186 132 186 525
signal - 48 - -
signalfd 282 321 - 349
signalfd4 289 327 74 355
sigpending - 73 - 73
sigprocmask - 126 - 126
sigreturn - 119 - 119
sigsuspend - 72 - 72
socket 41 359 198 281
socketcall - 102 - -
socketpair 53 360 199 288
splice 275 313 76 340
ssetmask - 69 - -
stat 4 106 - 106
stat64 - 195 - 195
statfs 137 99 43 99
statfs64 - 268 - 266
statmount 457 457 457 457
statx 332 383 291 397
stime - 25 - -
stty - 31 - -
swapoff 168 115 225 115
swapon 167 87 224 87
symlink 88 83 - 83
symlinkat 266 304 36 331
sync 162 36 81 36
sync_file_range 277 314 84 -
syncfs 306 344 267 373
sysfs 139 135 - 135
sysinfo 99 116 179 116
syslog 103 103 116 103
tee 276 315 77 342
tgkill 234 270 131 268
time 201 13 - -
timer_create 222 259 107 257 526
timer_delete 226 263 111 261
timer_getoverrun 225 262 109 260
timer_gettime 224 261 108 259
timer_gettime64 - 408 - 408
timer_settime 223 260 110 258
timer_settime64 - 409 - 409
timerfd_create 283 322 85 350
timerfd_gettime 287 326 87 354
timerfd_gettime64 - 410 - 410
timerfd_settime 286 325 86 353
timerfd_settime64 - 411 - 411
times 100 43 153 43
tkill 200 238 130 238
truncate 76 92 45 92
truncate64 - 193 - 193
tuxcall 184 - - -
ugetrlimit - 191 - 191
ulimit - 58 - -
umask 95 60 166 60
umount - 22 - -
umount2 166 52 39 52
uname 63 122 160 122
unlink 87 10 - 10
unlinkat 263 301 35 328
unshare 272 310 97 337
uretprobe 335 - - -
uselib 134 86 - 86
userfaultfd 323 374 282 388
usr26 - - - 983043
usr32 - - - 983044
ustat 136 62 - 62
utime 132 30 - -
utimensat 280 320 88 348
utimensat_time64 - 412 - 412
utimes 235 271 - 269
vfork 58 190 - 190
vhangup 153 111 58 111
vm86 - 166 - -
vm86old - 113 - -
vmsplice 278 316 75 343 532
vserver 236 273 - 313
wait4 61 114 260 114
waitid 247 284 95 280 529
waitpid - 7 - -
write 1 4 64 4
writev 20 146 66 146 516
`;

/** Calls that only other processors have. */
export const CALLS_ELSEWHERE = `
  atomic_barrier atomic_cmpxchg_32 cachectl getpagesize multiplexer riscv_flush_icache riscv_hwprobe rtas
  s390_guarded_storage s390_pci_mmio_read s390_pci_mmio_write s390_runtime_instr s390_sthyi spu_create spu_run
  subpage_prot swapcontext switch_endian sync_file_range2 sys_debug_setcontext syscall sysmips timerfd
`;
