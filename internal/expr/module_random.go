package expr

import "math/bits"

// Functions that would change a list (shuffle) or the generator (seed) are left out.
var randomFunctions = map[string]builtinCall{
	"random": randomFloat, "uniform": randomUniform, "randint": randomInt, "randrange": randomRange,
	"choice": randomChoice, "choices": randomChoices, "sample": randomSample,
}

// chance makes numbers of those that the rendering was given.
type chance struct{ Source }

func (m *machine) chance() (chance, error) {
	if m.env.Random == nil {
		return chance{}, fail("nothing is left to chance here")
	}
	return chance{m.env.Random}, nil
}

// float gives a number from 0 up to, but not, 1.
func (c chance) float() float64 {
	const digits = 53 // of a float
	return float64(c.Uint64()>>(64-digits)) / (1 << digits)
}

// below gives a whole number from 0 up to, but not, n.
func (c chance) below(n int64) int64 {
	high, _ := bits.Mul64(c.Uint64(), uint64(n))
	return int64(high)
}

func randomFloat(m *machine, a arguments) (any, error) {
	if _, err := a.take(0); err != nil {
		return nil, err
	}
	chance, err := m.chance()
	if err != nil {
		return nil, err
	}
	return chance.float(), nil
}

func randomUniform(m *machine, a arguments) (any, error) {
	args, err := a.take(2, "a", "b")
	if err != nil {
		return nil, err
	}
	low, err := float(args[0])
	if err != nil {
		return nil, err
	}
	high, err := float(args[1])
	if err != nil {
		return nil, err
	}
	chance, err := m.chance()
	if err != nil {
		return nil, err
	}
	return low + (high-low)*chance.float(), nil
}

func randomInt(m *machine, a arguments) (any, error) {
	args, err := a.take(2, "a", "b")
	if err != nil {
		return nil, err
	}
	low, ok := v64(args[0])
	high, alsoOK := v64(args[1])
	if !ok || !alsoOK || high == 1<<63-1 {
		return nil, fail("randint() takes whole numbers")
	}
	return m.oneOf(span{low, high + 1, 1})
}

func randomRange(m *machine, a arguments) (any, error) {
	a.named = nil
	places, err := toRange(m, a)
	if err != nil {
		return nil, err
	}
	return m.oneOf(places.(span))
}

func (m *machine) oneOf(places span) (any, error) {
	n := places.length()
	if n == 0 {
		return nil, fail("empty range")
	}
	chance, err := m.chance()
	if err != nil {
		return nil, err
	}
	return places.at(chance.below(n)), nil
}

func randomChoice(m *machine, a arguments) (any, error) {
	args, err := a.take(1, "seq")
	if err != nil {
		return nil, err
	}
	n, _, err := m.length(args[0])
	if err != nil {
		return nil, err
	}
	at, err := m.oneOf(span{0, n, 1})
	if err != nil {
		return nil, err
	}
	return m.item(args[0], at.(int64))
}

// randomChoices draws with putting back. Weights are not known here.
func randomChoices(m *machine, a arguments) (any, error) {
	named, err := arguments{named: a.named}.take(0, "k")
	if err != nil {
		return nil, err
	}
	args, err := arguments{positional: a.positional}.take(1, "population")
	if err != nil {
		return nil, err
	}
	count, err := countArgument(named[0], 1)
	if err != nil {
		return nil, err
	}
	items, err := m.sample(args[0], count, true)
	return items, err
}

func randomSample(m *machine, a arguments) (any, error) {
	args, err := a.take(2, "population", "k")
	if err != nil {
		return nil, err
	}
	count, err := countArgument(args[1], 0)
	if err != nil {
		return nil, err
	}
	items, err := m.sample(args[0], count, false)
	return items, err
}

// sample draws count items of a sequence.
func (m *machine) sample(population any, count int64, again bool) ([]any, error) {
	switch population.(type) {
	case []any, tuple, string, span:
	default:
		return nil, fail("population must be a sequence")
	}
	from, err := m.items(population)
	if err != nil {
		return nil, err
	}
	if count < 0 || !again && count > int64(len(from)) || len(from) == 0 && count > 0 {
		return nil, fail("sample larger than population or is negative")
	}
	chance, err := m.chance()
	if err != nil {
		return nil, err
	}
	if count > maxSteps {
		return nil, &LimitError{limitSteps}
	}
	drawn, err := m.list(int(count))
	if err != nil {
		return nil, err
	}
	rest, err := m.joinLists(from, nil)
	if err != nil {
		return nil, err
	}
	for range count {
		at := chance.below(int64(len(rest)))
		drawn = append(drawn, rest[at])
		if !again {
			rest[at] = rest[len(rest)-1]
			rest = rest[:len(rest)-1]
		}
	}
	return drawn, nil
}
