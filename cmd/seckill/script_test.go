package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/seckill-dev/seckill/internal/testenv"
	"github.com/seckill-dev/seckill/internal/testenv/server"
)

const (
	// patience bounds every wait for another process.
	patience = 3 * time.Minute
	// pollEvery keeps a shopper who asks again and again within the limits of the shop.
	pollEvery = 100 * time.Millisecond
)

// TestMain makes this binary the programs that the scripts run, too. Where there is no curl, it is a small one of ours.
func TestMain(m *testing.M) {
	programs := map[string]func(){"seckill": tethered(main)}
	if _, err := exec.LookPath("curl"); err != nil || filepath.Base(os.Args[0]) == "curl" {
		programs["curl"] = tethered(curl)
	}
	testscript.Main(testenv.Leakless(m), programs)
}

// TestScripts runs every script of testdata: what people type, and what they get to see. Besides the commands of
// testscript (go doc github.com/rogpeppe/go-internal/testscript) scripts have
//
//	serve [flag]…             `seckill up` beside the script until it is ready; its output is in up.out and up.err
//	develop [flag]…           `seckill dev` likewise, until it says what to paste
//	terminate                 SIGTERM to it: it must end by itself, with exit code 0
//	die                       kill -9
//	murder words…             kill -9 to one process of that `seckill dev` with these words in its command line
//	sell units [seconds]      a sale of one item that is open, to be paid within so long; sets $SALE and $ITEM
//	end                       ends that sale, and waits until its stock is closed
//	until regexp program arg… runs a program until its output matches, and leaves the output in the file `output`
//	query name select         sets $name to what SQL says about the data folder
//	tamper table assignments  changes the first row of a table by hand (orders: of any of them); sets $TABLE and $ROW
//	mode file mode            what others may do with a file
//	servers                   real servers, behind TLS and passwords; writes secrets/ and, from servers.yaml, seckill.yaml
//	vary file old new         another configuration file: seckill.yaml with a text replaced
//	play name argument...     a seckill process beside the script; its output is in name.log
//	hint name                 SIGTERM to it, and no wait
//	part name                 SIGTERM to it: it must end by itself, with exit code 0, or 1 with a ! before
//	quit name                 kill -9, or nothing if it has ended
//	names variable…           sets variables to the words that the last program printed
//	buys units key            the shopper of the file `token` buys units of $ITEM
//	bury body                 a dead letter with that body; sets $LETTER
//	paste heading file        what that section of README.md has to be pasted, without its first line
//	secretless file...        no secret of secrets/ is in the files
//	calm file...              the logs have no warning and no error, but of what a slow machine could not do in time
//
// All of them use the data folder `data` and the addresses $SHOP and $ADMIN, as the program itself does, by its
// environment.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata", Setup: settle, RequireExplicitExec: true, RequireUniqueNames: true,
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"serve": serve, "develop": develop, "terminate": terminate, "die": die, "murder": murder, "sell": sell, "end": end, "until": until,
			"query": query, "tamper": tamper, "mode": mode, "play": play, "hint": hint, "part": part, "quit": quit, "vary": vary, "secretless": secretless,
			"calm": calm, "names": names, "buys": buys, "bury": bury, "paste": paste,
			"servers": func(ts *testscript.TestScript, neg bool, args []string) { startServers(t, ts, neg, args) },
		},
	})
}

// settle gives a script addresses of its own.
func settle(env *testscript.Env) error {
	shop, errShop := server.FreePort()
	admin, errAdmin := server.FreePort()
	if err := errors.Join(errShop, errAdmin); err != nil {
		return err
	}
	shopAddr, adminAddr := fmt.Sprintf("127.0.0.1:%d", shop), fmt.Sprintf("127.0.0.1:%d", admin)
	env.Setenv("SHOP", shopAddr)
	env.Setenv("ADMIN", adminAddr)
	env.Setenv("OPERATOR_KEY", "data/keys/operator.key")
	env.Setenv("SECKILL_LISTEN", shopAddr)
	env.Setenv("SECKILL_ADMIN_LISTEN", adminAddr)
	env.Setenv("SECKILL_PAYMENTS__SANDBOX__LISTEN", "127.0.0.1:0")
	env.Setenv("SECKILL_DATA", filepath.Join(env.WorkDir, "data"))
	env.Values[processKey{}] = &process{}
	env.Values[playersKey{}] = map[string]*process{}
	return nil
}

// until repeats what may need a moment.
func until(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: until regexp program [argument]...")
	}
	wanted := compile(ts, args[0])
	program, err := exec.LookPath(args[1])
	ts.Check(err)
	var output []byte
	await(ts, args[0], func() bool {
		command := exec.Command(program, args[2:]...) //nolint:noctx // tethered to this process
		command.Dir, command.Env = ts.MkAbs("."), environment(ts)
		output, err = command.CombinedOutput()
		return err == nil && wanted.Match(output)
	})
	ts.Check(os.WriteFile(ts.MkAbs("output"), output, 0o600))
}

// await polls until done says so.
func await(ts *testscript.TestScript, what string, done func() bool) {
	for deadline := time.Now().Add(patience); !done(); {
		if time.Now().After(deadline) {
			ts.Fatalf("%s: not within %s", what, patience)
		}
		<-time.After(pollEvery)
	}
}

// mode checks what `ls -l` would say.
func mode(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: mode file mode")
	}
	info, err := os.Stat(ts.MkAbs(args[0]))
	ts.Check(err)
	if got := info.Mode().String(); (got == args[1]) == neg {
		ts.Fatalf("the mode of %s is %s", args[0], got)
	}
}
