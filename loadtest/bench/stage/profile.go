package stage

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// profileSlack is how much longer than its length a profile may take to be answered.
const profileSlack = 20 * time.Second

// Profile takes a processor profile of a role for so long, then one of its allocations, into files whose paths begin so.
func (p *Product) Profile(ctx context.Context, role, begins string, length time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, length+profileSlack)
	defer cancel()
	seconds := max(1, int(length.Seconds()))
	if err := p.fetch(ctx, role, fmt.Sprintf("profile?seconds=%d", seconds), begins+"-"+role+"-cpu.pprof"); err != nil {
		return err
	}
	return p.fetch(ctx, role, "allocs", begins+"-"+role+"-allocs.pprof")
}

func (p *Product) fetch(ctx context.Context, role, path, file string) error {
	running := p.processes[role]
	if running == nil {
		return fmt.Errorf("profile: no %s runs", role)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+running.admin+"/debug/pprof/"+path, http.NoBody)
	if err != nil {
		return err
	}
	request.Header.Set("Authorization", "Bearer "+p.operatorKey)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		return fmt.Errorf("profile: %w", err)
	}
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("profile: %s %s", response.Status, content)
	}
	return os.WriteFile(file, content, 0o600)
}
