package main

import (
	"os"
	"syscall"
)

// tethered has the kernel kill a program when the process that started it ends, however it ends.
func tethered(program func()) func() {
	return func() {
		const ask = syscall.PR_SET_PDEATHSIG
		if _, _, failed := syscall.RawSyscall(syscall.SYS_PRCTL, ask, uintptr(syscall.SIGKILL), 0); failed != 0 {
			os.Exit(1)
		}
		program()
	}
}
