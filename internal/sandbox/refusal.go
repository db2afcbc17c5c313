package sandbox

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

const (
	jsonType  = "application/json"
	keyHeader = "Idempotency-Key"
	// bodyMax bounds a request.
	bodyMax = 16 << 10

	codeInvalid  = "invalid"
	codeRefunded = "already_refunded"
)

// refusal is the answer to who cannot have what he asks for.
type refusal struct {
	status  int
	Code    string `json:"code"`
	Message string `json:"message"`
}

func (r *refusal) Error() string {
	return fmt.Sprintf("the sandbox answers %d %s: %s", r.status, r.Code, r.Message)
}

func refusef(status int, code, format string, args ...any) error {
	return &refusal{status, code, fmt.Sprintf(format, args...)}
}

// refusalOf is how an error is answered; what is nobody's fault but ours is not told.
func refusalOf(err error) *refusal {
	var refused *refusal
	if errors.As(err, &refused) {
		return refused
	}
	return &refusal{http.StatusInternalServerError, "internal", "this went wrong here"}
}

// answer writes JSON.
func answer(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", jsonType)
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // who has gone does not read it
}

// handle makes a handler of a function that may refuse.
func (s *Server) handle(serve func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.Body = http.MaxBytesReader(w, r.Body, bodyMax)
		if err := serve(w, r); err != nil {
			refused := refusalOf(err)
			s.complain(r, refused, err)
			answer(w, refused.status, refused)
		}
	})
}

func (s *Server) complain(r *http.Request, refused *refusal, err error) {
	if refused.status == http.StatusInternalServerError {
		s.options.Log.Error("the sandbox failed", "method", r.Method, "path", r.URL.Path, "error", err)
	}
}

// withKey lets nobody in without the key. Hashes are compared, so that the time says nothing, not even its length.
func (s *Server) withKey(serve func(w http.ResponseWriter, r *http.Request) error) http.Handler {
	want := sha256.Sum256([]byte(s.options.Key))
	return s.handle(func(w http.ResponseWriter, r *http.Request) error {
		key, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
		got := sha256.Sum256([]byte(key))
		if subtle.ConstantTimeCompare(want[:], got[:]) != 1 {
			return refusef(http.StatusUnauthorized, "unauthenticated", "the key is missing or wrong")
		}
		return serve(w, r)
	})
}

// decode reads one JSON document.
func decode(r *http.Request, into any) error {
	content, err := io.ReadAll(r.Body)
	if err != nil {
		return refusef(http.StatusRequestEntityTooLarge, "too_large", "the body is longer than %d bytes, or ended early", bodyMax)
	}
	if err := json.Unmarshal(content, into); err != nil {
		return refusef(http.StatusBadRequest, codeInvalid, "the body cannot be read: %v", err)
	}
	return nil
}
