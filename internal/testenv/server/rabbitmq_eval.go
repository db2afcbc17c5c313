package server

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"
)

// BlockPublishers raises the memory alarm: the server reads no more from connections that publish.
func (r *RabbitMQ) BlockPublishers(ctx context.Context) error {
	return r.eval(ctx, "rabbit_alarm:set_alarm({{resource_limit, memory, node()}, []}).")
}

// UnblockPublishers ends the alarm of BlockPublishers.
func (r *RabbitMQ) UnblockPublishers(ctx context.Context) error {
	return r.eval(ctx, "rabbit_alarm:clear_alarm({resource_limit, memory, node()}).")
}

// DeleteQueue deletes a queue with all it holds, as an operator might by mistake.
func (r *RabbitMQ) DeleteQueue(ctx context.Context, name string) error {
	return r.eval(ctx, fmt.Sprintf(`{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<%q>>)),
		{ok, _} = rabbit_amqqueue:delete(Q, false, false, <<"testenv">>).`, name))
}

// SuspendQueue freezes one queue's own process: it takes messages and confirms none, as a queue without a majority of its
// replicas does, and the others go on. ResumeQueue ends that.
func (r *RabbitMQ) SuspendQueue(ctx context.Context, name string) error {
	return r.withQueue(ctx, name, "ok = sys:suspend(whereis(Name))")
}

// ResumeQueue ends a SuspendQueue; what came meanwhile is carried out now.
func (r *RabbitMQ) ResumeQueue(ctx context.Context, name string) error {
	return r.withQueue(ctx, name, "ok = sys:resume(whereis(Name))")
}

func (r *RabbitMQ) withQueue(ctx context.Context, name, do string) error {
	return r.eval(ctx, fmt.Sprintf(`{ok, Q} = rabbit_amqqueue:lookup(rabbit_misc:r(<<"/">>, queue, <<%q>>)),
		{Name, _} = amqqueue:get_pid(Q), %s.`, name, do))
}

// LimitQueue lets a queue hold no more messages than that: what is published beyond is refused (nacked).
func (r *RabbitMQ) LimitQueue(ctx context.Context, name string, messagesMax int) error {
	return r.eval(ctx, fmt.Sprintf(`ok = rabbit_policy:set(<<"/">>, <<"limit">>, <<"^%s$">>, [{<<"max-length">>, %d}],
		0, <<"queues">>, <<"testenv">>).`, name, messagesMax))
}

// UnlimitQueue ends a LimitQueue.
func (r *RabbitMQ) UnlimitQueue(ctx context.Context) error {
	return r.eval(ctx, `ok = rabbit_policy:delete(<<"/">>, <<"limit">>, <<"testenv">>).`)
}

// AddUser makes a virtual host, and a user who may do anything there and nothing elsewhere.
func (r *RabbitMQ) AddUser(ctx context.Context, vhost, name, password string) error {
	return r.eval(ctx, fmt.Sprintf(`ok = rabbit_vhost:add(<<%[1]q>>, <<"testenv">>),
		ok = rabbit_auth_backend_internal:add_user(<<%[2]q>>, <<%[3]q>>, <<"testenv">>),
		ok = rabbit_auth_backend_internal:set_permissions(<<%[2]q>>, <<%[1]q>>, <<".*">>, <<".*">>, <<".*">>, <<"testenv">>).`,
		vhost, name, password))
}

// eval has the server's own Erlang evaluate an expression, as rabbitmqctl eval does in ten times the time.
func (r *RabbitMQ) eval(ctx context.Context, expression string) error {
	const ask = `[N, S] = init:get_plain_arguments(), {ok, T, _} = erl_scan:string(S), {ok, E} = erl_parse:parse_exprs(T),
		case rpc:call(list_to_atom(N), erl_eval, exprs, [E, []], 10000) of
			{value, _, _} -> halt(0); Error -> io:format("~p", [Error]), halt(1) end.`
	ctx, cancel := context.WithTimeout(ctx, brokerEvalWithin)
	defer cancel()
	erlang, err := find("erl")
	if err != nil {
		return err
	}
	args := append(erlangArgs(r.id.NodePort), "-sname", fmt.Sprintf("ask%d@localhost", time.Now().UnixNano()),
		"-dist_listen", "false", "-noinput", "-eval", ask, "-extra", r.nodeName(), expression)
	cmd := exec.CommandContext(ctx, erlang, args...)
	cmd.Dir = r.dir
	cmd.Env = append(os.Environ(), "HOME="+r.dir, "ERL_CRASH_DUMP="+r.file("erl_crash.dump"))
	if said, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("rabbitmq-server did not evaluate %s: %w: %s", expression, err, said)
	}
	return nil
}
