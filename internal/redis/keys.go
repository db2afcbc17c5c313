package redis

import (
	"strconv"

	"github.com/seckill-dev/seckill/internal/seckill"
)

// decidedChannel carries the decisions of all items.
const decidedChannel = "seckill:decided"

// keys spells the keys of one item.
type keys struct{ prefix string }

func keysOf(item seckill.ID) keys { return keys{prefix: "seckill:{" + item.String() + "}:"} }

func (k keys) meta() string      { return k.prefix + "meta" }
func (k keys) gate() string      { return k.prefix + "gate" }
func (k keys) buyers() string    { return k.prefix + "buyers" }
func (k keys) bodies() string    { return k.prefix + "bodies" }
func (k keys) unsent() string    { return k.prefix + "unsent" }
func (k keys) unsettled() string { return k.prefix + "unsettled" }
func (k keys) tries() string     { return k.prefix + "tries" }

// side is where one attempt to load an epoch gathers its buyers.
func (k keys) side(epoch int64, attempt seckill.ID) string {
	return k.buyers() + ":" + strconv.FormatInt(epoch, 10) + ":" + attempt.String()
}
