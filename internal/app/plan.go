package app

import "errors"

// Plan is which roles a process plays.
type Plan struct {
	API     bool
	Workers int
	Keepers int
}

// copies is how many workers and keepers run inside one process: nothing may depend on being alone.
const copies = 2

// Everything is the plan of `seckill up`. One api is enough: a second one in the same process would only halve batches.
func Everything() Plan { return Plan{API: true, Workers: copies, Keepers: copies} }

// OnlyAPI is the plan of a process that answers shoppers and operators.
func OnlyAPI() Plan { return Plan{API: true} }

// OnlyWorker is the plan of a process that settles.
func OnlyWorker() Plan { return Plan{Workers: 1} }

// OnlyKeeper is the plan of a process that does the background jobs.
func OnlyKeeper() Plan { return Plan{Keepers: 1} }

// takesMoney says whether the roles ask a payment provider: the api opens payments, keepers close and refund them.
func (p Plan) takesMoney() bool { return p.API || p.Keepers > 0 }

// check refuses to run a part of what only works as a whole.
func (p Plan) check(config Config) error {
	if config.Backend == BackendEmbedded && (!p.API || p.Workers == 0 || p.Keepers == 0) {
		return errors.New("backend: embedded runs everything in one process; use `seckill up`, or set services")
	}
	if config.hasSandboxInside() && p.takesMoney() && (!p.API || p.Keepers == 0) {
		return errors.New("payments.sandbox.url: is missing; several processes need one sandbox: start `seckill sandbox`, and say where it is")
	}
	return nil
}
