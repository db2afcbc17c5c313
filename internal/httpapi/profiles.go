package httpapi

import (
	"net/http"
	"net/http/pprof"
	"strings"
)

const profilesPath = "/debug/pprof/"

// WithProfiles adds the Go runtime's profiles to the handler of an operators' listener, for whoever has a key: they show
// what is in memory.
func WithProfiles(handler http.Handler, keys OperatorKeys) http.Handler {
	profiles := http.NewServeMux()
	profiles.HandleFunc(profilesPath, pprof.Index)
	profiles.HandleFunc(profilesPath+"profile", pprof.Profile)
	profiles.HandleFunc(profilesPath+"trace", pprof.Trace)
	return http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		if !strings.HasPrefix(request.URL.Path, profilesPath) {
			handler.ServeHTTP(w, request)
			return
		}
		key, err := bearer(request.Header)
		if err == nil {
			_, err = keys.Actor(key)
		}
		if err != nil {
			http.Error(w, "send an operator's key", http.StatusUnauthorized)
			return
		}
		profiles.ServeHTTP(w, request)
	})
}
