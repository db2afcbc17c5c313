package app

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/v2"
	"go.yaml.in/yaml/v3"
)

const (
	// configBytesMax bounds the file.
	configBytesMax = 1 << 20

	envPrefix = "SECKILL_"
	// envLevel separates the levels of a key in the environment, where a dot cannot be.
	envLevel = "__"
)

// LoadOptions says where settings come from; each source overrides the ones before it.
type LoadOptions struct {
	// File is a YAML file; "" means none.
	File string
	// Env is the environment ("NAME=value"): SECKILL_LIMITS__PER_USER_PER_SECOND is limits.per_user_per_second, and
	// SECKILL_OPERATORS__0__NAME the name of the first operator.
	Env []string
	// Flags are settings from the command line, by their dotted key.
	Flags map[string]any
}

// Load reads every source, refuses what is unknown or wrong with one sentence that names the key, and returns all
// settings. It writes nothing and reads no keys: Credentials does.
func Load(options LoadOptions) (Config, error) {
	layers := koanf.New(".")
	for _, read := range []func() (koanf.Provider, error){
		func() (koanf.Provider, error) { return readFile(options.File) },
		func() (koanf.Provider, error) { return readEnv(options.Env) },
		func() (koanf.Provider, error) { return readFlags(options.Flags) },
	} {
		layer, err := read()
		if err != nil {
			return Config{}, err
		}
		if err := layers.Load(layer, nil); err != nil {
			return Config{}, fmt.Errorf("read the configuration: %w", err)
		}
	}
	config := Defaults()
	if err := fill(&config, layers.Raw()); err != nil {
		return Config{}, err
	}
	if !layers.Exists("profile") && config.Backend == BackendServices {
		config.Profile = ProfileProduction
	}
	if !layers.Exists("payments.provider") && (config.Backend != BackendEmbedded || config.Profile != ProfileDevelopment) {
		config.Payments.Provider = ""
	}
	return config, config.check()
}

// tree is a source that has been read already.
type tree map[string]any

// Read implements koanf.Provider.
func (t tree) Read() (map[string]any, error) { return t, nil }

// ReadBytes implements koanf.Provider.
func (t tree) ReadBytes() ([]byte, error) { return nil, errors.New("a tree has no bytes") }

func readFile(path string) (koanf.Provider, error) {
	if path == "" {
		return tree{}, nil
	}
	file, err := os.Open(path) //nolint:gosec // the operator names the file
	if err != nil {
		return nil, fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	defer file.Close()
	content, err := io.ReadAll(io.LimitReader(file, configBytesMax+1))
	if err != nil {
		return nil, fmt.Errorf("the configuration file cannot be read: %w", err)
	}
	settings, err := parseYAML(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return settings, nil
}

// parseYAML reads one document and refuses what a merge of layers would silently lose: a second document, keys that are
// written with dots. Unknown keys are refused here too, so that the file is named.
func parseYAML(content []byte) (tree, error) {
	if len(content) > configBytesMax {
		return nil, fmt.Errorf("the file is larger than %d bytes", configBytesMax)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var settings map[string]any
	if err := decoder.Decode(&settings); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("not a YAML file of settings: %s", oneLine(err))
	}
	var second any
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more than one YAML document; only one is read")
	}
	scratch := Defaults()
	if err := fill(&scratch, settings); err != nil {
		return nil, err
	}
	return settings, nil
}

func oneLine(err error) string { return strings.Join(strings.Fields(err.Error()), " ") }

// notOurs are variables with our prefix that are no settings: Kubernetes sets some for a service called seckill, our own tests
// do, and seckill admin is told whom it operates.
func notOurs() *regexp.Regexp {
	return regexp.MustCompile(`^SECKILL_(TEST_.*|CONFIG|ADMIN_URL|OPERATOR_KEY|([A-Z0-9_]+_)?(SERVICE_(HOST|PORT)(_.*)?|PORT(_\d+_(TCP|UDP)(_.*)?)?))$`)
}

func readEnv(environ []string) (koanf.Provider, error) {
	var wrong error
	foreign := notOurs()
	transform := func(name, value string) (string, any) {
		key := strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, envPrefix)), envLevel, ".")
		switch err := knownKey(key); {
		case err == nil && value == "":
			return "", nil // containers hand on variables that nobody has set
		case err == nil:
			return key, value
		case !foreign.MatchString(name):
			wrong = fmt.Errorf("environment variable %s: %w", name, err)
		}
		return "", nil
	}
	provider := env.Provider(".", env.Opt{
		Prefix: envPrefix, TransformFunc: transform, EnvironFunc: func() []string { return environ },
	})
	settings, err := provider.Read()
	if err != nil {
		return nil, fmt.Errorf("read the environment: %w", err)
	}
	return tree(settings), wrong
}

func readFlags(flags map[string]any) (koanf.Provider, error) {
	settings := tree{}
	for _, key := range slices.Sorted(maps.Keys(flags)) {
		if err := knownKey(key); err != nil {
			return nil, fmt.Errorf("command line: %w", err)
		}
		settings.set(strings.Split(key, "."), flags[key])
	}
	return settings, nil
}

func (t tree) set(path []string, value any) {
	if len(path) == 1 {
		t[path[0]] = value
		return
	}
	below, exists := t[path[0]].(map[string]any)
	if !exists {
		below = map[string]any{}
		t[path[0]] = below
	}
	tree(below).set(path[1:], value)
}
