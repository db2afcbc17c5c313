package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

// curl is as much of curl as the lines need that `up --demo` prints.
func curl() {
	if err := fetch(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "curl:", err)
		os.Exit(1)
	}
}

func fetch(args []string, out io.Writer) error {
	method, url, body, header := http.MethodGet, "", "", http.Header{}
	for len(args) > 0 {
		flag := args[0]
		args = args[1:]
		switch {
		case flag == "-s":
		case !strings.HasPrefix(flag, "-"):
			url = flag
		case len(args) == 0:
			return fmt.Errorf("%s: wants a value", flag)
		case flag == "-H":
			name, value, _ := strings.Cut(args[0], ": ")
			header.Set(name, value)
			args = args[1:]
		case flag == "-d":
			method, body = http.MethodPost, args[0]
			args = args[1:]
		default:
			return fmt.Errorf("%s: not known to this one", flag)
		}
	}
	request, err := http.NewRequest(method, url, strings.NewReader(body)) //nolint:noctx // bounded by the client
	if err != nil {
		return err
	}
	request.Header = header
	response, err := (&http.Client{Timeout: patience}).Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, response.Body)
	return errors.Join(err, response.Body.Close())
}
