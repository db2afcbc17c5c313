package httpapi

import (
	"context"
	"encoding/json"
	"net/http"

	"github.com/gin-gonic/gin"

	"github.com/seckill-dev/seckill/api"
	"github.com/seckill-dev/seckill/internal/seckill"
)

// actorMax bounds the name of who did something.
const actorMax = 100

// listActs shows the operators' log, newest first.
func (o *operators) listActs(ctx context.Context, c *gin.Context, _ string) error {
	query, err := actQuery(c)
	if err != nil {
		return err
	}
	found, err := o.operations.Log(ctx, query)
	if err != nil {
		return err
	}
	list := api.ActList{Data: make([]api.Act, len(found.Acts))}
	for i, act := range found.Acts {
		list.Data[i] = api.Act{
			ID: act.ID.String(), At: act.At.UTC(), Actor: act.Actor, Action: act.Action, Target: act.Target.String(),
			Before: fieldsIn(act.Before), After: fieldsIn(act.After),
		}
	}
	if found.Next > 0 {
		list.Next = cursorOf(found.Next)
	}
	return o.reply(c, http.StatusOK, list)
}

func actQuery(c *gin.Context) (seckill.ActQuery, error) {
	asked, err := queryOf(c)
	if err != nil {
		return seckill.ActQuery{}, err
	}
	page, err := asked.page()
	if err != nil {
		return seckill.ActQuery{}, err
	}
	query := seckill.ActQuery{After: page.after, Limit: page.limit}
	target, given, err := asked.one("target")
	if err != nil {
		return seckill.ActQuery{}, err
	}
	if given {
		id, err := seckill.ParseID(target)
		if err != nil {
			return seckill.ActQuery{}, seckill.InvalidField("target", err.Error())
		}
		query.Targets = []seckill.ID{id}
	}
	query.Actor, given, err = asked.one("actor")
	if err == nil && given && (query.Actor == "" || len(query.Actor) > actorMax) {
		err = seckill.InvalidField("actor", "actor is a name such as operator:ada")
	}
	return query, err
}

// fieldsIn reads what an act keeps; nil when it keeps nothing.
func fieldsIn(text string) map[string]any {
	var fields map[string]any
	if err := json.Unmarshal([]byte(text), &fields); err != nil || len(fields) == 0 {
		return nil
	}
	return fields
}
