package drill

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/seckill-dev/seckill/internal/testenv/fleet"
)

// act is one fault of a schedule.
type act struct {
	// at is when it comes, at the earliest: the one before must be over.
	at     time.Duration
	fault  fault
	victim string
	lasts  time.Duration
	// with comes at the same time.
	with *act
}

func (a act) String() string {
	text := a.fault.name
	if a.victim != "" {
		text += " " + a.victim
	}
	if a.lasts > 0 {
		text += fmt.Sprintf(" for %s", a.lasts)
	}
	if a.with != nil {
		text += " + " + a.with.String()
	}
	return text
}

// The pauses between two faults, in which the system is left alone.
const (
	pauseLeast = time.Second
	pauseMost  = 2500 * time.Millisecond
	// openingPause is what comes before the first one.
	openingPause = 4 * time.Second
	// rareEach is how many faults of those that are no staples are in each deck, rareMost how many there are at most if their
	// time is needed.
	rareEach = 5
	rareMost = 20
	// overLeast is what it takes to get over the least of them.
	overLeast = 700 * time.Millisecond
	// shuffledEach is which decks are in no order at all.
	shuffledEach = 4
	// unknownFor is how long a dead api counts as one that may have promised something.
	unknownFor = time.Minute
)

// plan draws a schedule: decks of all staples and a few of the others, which take turns, each deck shuffled, and most of
// them sorted a little then.
func plan(seed uint64, lasts time.Duration, faults []fault, pairs bool) []act {
	random := rand.New(rand.NewPCG(seed, 0))
	p := planner{random: random, faults: faults}
	var acts []act
	for at := openingPause; ; {
		for _, a := range p.deck() {
			if pairs {
				a.with = p.companion(a)
			}
			a.at = at
			if at += a.lasts + p.between(pauseLeast, pauseMost); at > lasts {
				return acts
			}
			acts = append(acts, a)
		}
	}
}

// planner deals the decks of one schedule.
type planner struct {
	random *rand.Rand
	faults []fault
	rare   []fault
	dealt  map[string]int
	decks  int
}

func (p *planner) deck() []act {
	var deck []act
	for _, f := range p.faults {
		for range f.staple {
			deck = append(deck, p.act(f))
		}
	}
	p.decks++
	isSorted := p.decks%shuffledEach != 0 && dies(deck, placeRedis) && dies(deck, placeAPIs)
	for n := 0; n < rareEach || isSorted && n < rareMost && lastsAfterAPIs(deck) < unknownFor; n++ {
		f, ok := p.next()
		if !ok {
			break
		}
		deck = append(deck, p.act(f))
	}
	p.random.Shuffle(len(deck), func(i, j int) { deck[i], deck[j] = deck[j], deck[i] })
	if isSorted {
		slices.SortStableFunc(deck, func(a, b act) int { return cmp.Compare(a.place(), b.place()) })
	}
	return deck
}

// dies says whether somebody is killed who has that place.
func dies(deck []act, place int) bool {
	return slices.ContainsFunc(deck, func(a act) bool { return a.place() == place })
}

// lastsAfterAPIs is how long a sorted deck lasts behind the last death of an api.
func lastsAfterAPIs(deck []act) (lasts time.Duration) {
	for _, a := range deck {
		if a.place() == placeAfter {
			lasts += a.lasts + overLeast + pauseLeast
		}
	}
	return lasts
}

// Places in a deck that is sorted.
const (
	placeRedis = iota
	placeAPIs
	placeAfter
)

// place is where a fault comes in a deck that is sorted: Redis is lost first, and apis die next, so that a minute is over when
// Redis is lost again. For so long nobody knows what a dead api has promised, and the seal waits for silence: that is a fault
// in the wake of another one, which decks that are not sorted have.
func (a act) place() int {
	switch {
	case a.fault.bar != nil && a.victim == redis:
		return placeRedis
	case a.fault.alone || kindOf(a.victim) == fleet.API && a.fault.name == "kill":
		return placeAPIs
	default:
		return placeAfter
	}
}

// next takes turns among the faults that are no staples.
func (p *planner) next() (fault, bool) {
	if len(p.rare) == 0 {
		p.rare = slices.DeleteFunc(slices.Clone(p.faults), func(f fault) bool { return f.staple > 0 })
		p.random.Shuffle(len(p.rare), func(i, j int) { p.rare[i], p.rare[j] = p.rare[j], p.rare[i] })
	}
	if len(p.rare) == 0 {
		return fault{}, false
	}
	f := p.rare[0]
	p.rare = p.rare[1:]
	return f, true
}

// act fills in whom it hits, who take turns, and for how long.
func (p *planner) act(f fault) act {
	a := act{fault: f, lasts: p.between(f.shortest, f.longest).Round(100 * time.Millisecond)}
	if len(f.victims) > 0 {
		if p.dealt == nil {
			p.dealt = make(map[string]int)
		}
		turn := f.name + " " + f.victims[0] // faults of one name have victims of their own
		a.victim = f.victims[p.dealt[turn]%len(f.victims)]
		p.dealt[turn]++
	}
	return a
}

func (p *planner) between(shortest, longest time.Duration) time.Duration {
	if longest <= shortest {
		return shortest
	}
	return shortest + time.Duration(p.random.Int64N(int64(longest-shortest)))
}

// companion draws what happens at the same time: something else, and nothing that is not promised to be survived.
func (p *planner) companion(a act) *act {
	fit := slices.DeleteFunc(slices.Clone(p.faults), func(f fault) bool { return !a.fault.mayCoincide(f) })
	if len(fit) == 0 {
		return nil
	}
	for range len(p.faults) {
		if b := p.act(fit[p.random.IntN(len(fit))]); kindOf(b.victim) != kindOf(a.victim) {
			return &b
		}
	}
	return nil
}

// mayCoincide says that two faults are different, and promised to be survived together.
func (f fault) mayCoincide(other fault) bool {
	return !f.alone && !other.alone && f.name != other.name && (f.loses == "" || other.loses == "")
}

// goesWith says that they have two kinds of victims, too, so that a pair can be made of them.
func (f fault) goesWith(other fault) bool {
	return f.mayCoincide(other) && slices.ContainsFunc(f.victims, func(victim string) bool {
		return slices.ContainsFunc(other.victims, func(another string) bool { return kindOf(victim) != kindOf(another) })
	})
}
