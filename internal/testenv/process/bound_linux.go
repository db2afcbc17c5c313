package process

import "syscall"

// boundToUs makes the child a group leader that the kernel kills when we end, even by kill -9 or a test's time-out.
func boundToUs() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
