package sandbox

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

const (
	// noticeTimeout bounds one notice, noticesMax how many are under way. With few of them a shop that was slow for a moment never
	// caught up: each notice came when its order's time was over, and whoever was given the money back paid once more.
	noticeTimeout = 10 * time.Second
	noticesMax    = 128
	// Pauses between the tries of one notice, and how long it is tried at all.
	firstPause   = 500 * time.Millisecond
	longestPause = time.Minute
	toldWithin   = 24 * time.Hour
)

// delivery is one notice on its way to the webhook.
type delivery struct {
	charged Entry
	pause   time.Duration
	// again is one that the webhook has heard already: it is sent once more, whatever becomes of it.
	again bool
}

// tell has the webhook told of a charge, after a while if options say so.
func (s *Server) tell(charged Entry) {
	if s.options.Webhook != "" {
		s.notices.add(s.now().Add(s.aWhile()), delivery{charged: charged, pause: firstPause})
	}
}

func (s *Server) aWhile() time.Duration {
	if s.options.NoticeSpread <= 0 {
		return 0
	}
	return rand.N(s.options.NoticeSpread)
}

// deliver sends what is due until ctx ends, and returns when nothing is under way.
func (s *Server) deliver(ctx context.Context) {
	var working sync.WaitGroup
	defer working.Wait()
	slots := make(chan struct{}, noticesMax)
	for {
		d, ok := s.notices.take(ctx)
		if !ok {
			return
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		working.Go(func() {
			defer func() { <-slots }()
			s.send(ctx, d)
		})
	}
}

// send tries once and sees to what comes next.
func (s *Server) send(ctx context.Context, d delivery) {
	now := s.now()
	if away := s.outage.left(now); away > 0 {
		s.notices.add(now.Add(away), d)
		return
	}
	err := s.postAnywhere(ctx, d.charged)
	if d.again || ctx.Err() != nil {
		return
	}
	if err == nil {
		err = s.confirmed(d)
	}
	if err != nil {
		s.putOff(d, err)
	}
}

// confirmed notes that the webhook knows, and tells it again if options say so.
func (s *Server) confirmed(d delivery) error {
	if err := s.book.told(s.now(), d.charged, KindTold); err != nil {
		return err
	}
	d.again = true
	for range s.options.NoticeRepeats {
		s.notices.add(s.now().Add(s.aWhile()), d)
	}
	return nil
}

// putOff tries again later, or gives up.
func (s *Server) putOff(d delivery, why error) {
	now := s.now()
	if now.Sub(d.charged.At) < toldWithin {
		s.options.Log.Debug("the webhook did not take a notice", "charge", d.charged.Txn, "again in", d.pause, "error", why)
		s.notices.add(now.Add(d.pause/2+rand.N(d.pause/2)), delivery{charged: d.charged, pause: min(2*d.pause, longestPause)})
		return
	}
	s.options.Log.Error("the webhook never took a notice", "charge", d.charged.Txn, "reference", d.charged.Reference, "error", why)
	if err := s.book.told(now, d.charged, KindGivenUp); err != nil {
		s.options.Log.Error("the sandbox failed", "error", err)
	}
}

// postAnywhere goes from one address of the shop to the next until one takes the notice.
func (s *Server) postAnywhere(ctx context.Context, charged Entry) error {
	err := s.post(ctx, s.options.Webhook, charged)
	for _, url := range s.options.Webhooks {
		if err == nil {
			break
		}
		err = s.post(ctx, url, charged)
	}
	return err
}

func (s *Server) post(ctx context.Context, url string, charged Entry) error {
	ctx, cancel := context.WithTimeout(ctx, noticeTimeout)
	defer cancel()
	body, err := json.Marshal(noticeOf(charged))
	if err != nil {
		return fmt.Errorf("encode a notice: %w", err)
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", jsonType)
	request.Header.Set(SignatureHeader, Sign(s.options.Secret, s.now(), body))
	response, err := s.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, noticeMax)) // so that the connection can be used again
	if response.StatusCode >= http.StatusMultipleChoices {
		return fmt.Errorf("it answers %s", response.Status)
	}
	return nil
}
