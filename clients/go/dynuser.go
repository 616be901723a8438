// Package dynuser acquires dynamic users from dynuserd. It is one file, and needs nothing but Go's standard library:
// copy it into a directory "dynuser" of a program.
//
//	user, err := dynuser.Acquire(ctx, dynuser.Request{Unit: "job", RuntimeDirectory: []string{"job"}})
//	if err != nil {
//		return err
//	}
//	defer user.Release(context.Background())
//	command := exec.CommandContext(ctx, "make", "check")
//	user.Apply(command)
//	return command.Run()
//
// The user lives as long as the lease, which ends with Release, or with this process however that ends. What still runs as the
// user then is ended.
package dynuser

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

const (
	// Timeout is how long an answer may take if the context has no deadline: above the daemon's own search for a UID.
	Timeout = 60 * time.Second
	// messageBytesMax is the longest message that is read.
	messageBytesMax = 8 << 20
	allocator       = "io.dynuser.Allocator."
)

// Error is what every failed call returns. Code is the error of the interface without its prefix, such as NotPermitted, or
// ConnectionFailed, Timeout, InvalidParameter or UnexpectedReply.
type Error struct {
	Code string
	// Reason says what is wrong and what to do.
	Reason string
	// Field is the parameter that the error is about, if it is about one.
	Field string
	// Err is the cause, if there is one.
	Err error
}

func (e *Error) Error() string { return e.Code + ": " + e.Reason }

func (e *Error) Unwrap() error { return e.Err }

// IsCode tells whether an error is one of this package with that code.
func IsCode(err error, code string) bool {
	var found *Error
	return errors.As(err, &found) && found.Code == code
}

// Request is what Acquire asks for; only Unit is needed. The fields are the parameters of the interface.
type Request struct {
	Unit     string `json:"unit"`
	UserName string `json:"userName,omitempty"`
	// Lifetime is "connection" (the default: until Release, or the end of this process), "process" (until PID ends, or this
	// process), "unit", "timed" (Seconds), "running" or "explicit".
	Lifetime         string   `json:"lifetime,omitempty"`
	PID              int      `json:"pid,omitempty"`
	Seconds          int      `json:"seconds,omitempty"`
	PerInstance      bool     `json:"perInstance,omitempty"`
	Description      string   `json:"description,omitempty"`
	StateDirectory   []string `json:"stateDirectory,omitempty"`
	CacheDirectory   []string `json:"cacheDirectory,omitempty"`
	LogsDirectory    []string `json:"logsDirectory,omitempty"`
	RuntimeDirectory []string `json:"runtimeDirectory,omitempty"`
	// Permission bits; 0 is the default, 0755.
	StateDirectoryMode   int  `json:"stateDirectoryMode,omitempty"`
	CacheDirectoryMode   int  `json:"cacheDirectoryMode,omitempty"`
	LogsDirectoryMode    int  `json:"logsDirectoryMode,omitempty"`
	RuntimeDirectoryMode int  `json:"runtimeDirectoryMode,omitempty"`
	ExposeDirectories    bool `json:"exposeDirectories,omitempty"`
	// Path is that of the daemon's socket, if it is not the usual one.
	Path string `json:"-"`
}

// Directory is a directory of a user, ready for use.
type Directory struct {
	Kind       string `json:"kind"`
	PublicPath string `json:"publicPath"`
	RealPath   string `json:"realPath"`
}

// Lease is a user that was acquired.
type Lease struct {
	UID         uint32            `json:"uid"`
	GID         uint32            `json:"gid"`
	UserName    string            `json:"userName"`
	Unit        string            `json:"unit"`
	Dynamic     bool              `json:"dynamic"`
	ID          string            `json:"lease"`
	Directories []Directory       `json:"directories"`
	Environment map[string]string `json:"environment"`

	path string
	// mutex guards connection, which is nil if the lease has another lifetime, or was released.
	mutex      sync.Mutex
	connection *connection
}

type connection struct {
	net.Conn
	reader *bufio.Reader
}

func paths(path string) []string {
	if path != "" {
		return []string{path}
	}
	directory := os.Getenv("DYNUSER_RUNTIME_DIRECTORY")
	if !filepath.IsAbs(directory) {
		directory = "/run/dynuser"
	}
	// The first is for those who may acquire; the second is everybody's.
	return []string{directory + "/io.dynuser.Allocator", directory + "/io.dynuser.DynamicUser"}
}

func dial(ctx context.Context, path string) (*connection, error) {
	var dialer net.Dialer
	var err error
	for _, candidate := range paths(path) {
		var opened net.Conn
		if opened, err = dialer.DialContext(ctx, "unix", candidate); err == nil {
			return &connection{opened, bufio.NewReader(opened)}, nil
		}
		if !errors.Is(err, syscall.ENOENT) && !errors.Is(err, syscall.EACCES) && !errors.Is(err, syscall.EPERM) &&
			!errors.Is(err, syscall.ECONNREFUSED) {
			break
		}
	}
	return nil, failed(ctx, "cannot connect to dynuserd", err)
}

func failed(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil || errors.Is(err, os.ErrDeadlineExceeded) {
		return &Error{Code: "Timeout", Reason: what + ": no answer in time", Err: errors.Join(ctx.Err(), err)}
	}
	return &Error{Code: "ConnectionFailed", Reason: fmt.Sprintf("%s: %v", what, err), Err: err}
}

// receive reads one message, which ends with a NUL.
func (c *connection) receive() ([]byte, error) {
	var message []byte
	for {
		part, err := c.reader.ReadSlice(0)
		if message = append(message, part...); err == nil {
			return message[:len(message)-1], nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return nil, err
		}
		if len(message) > messageBytesMax {
			return nil, &Error{Code: "UnexpectedReply", Reason: "a reply is too long"}
		}
	}
}

// call makes a call, and hands each reply but those with progress to use. Progress gives it more time, unless ctx has a deadline.
func (c *connection) call(ctx context.Context, method string, parameters any, more bool, use func(json.RawMessage) error) error {
	stop := context.AfterFunc(ctx, func() { _ = c.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	extend := func() error {
		if _, bounded := ctx.Deadline(); bounded || ctx.Err() != nil {
			return ctx.Err()
		}
		return c.SetDeadline(time.Now().Add(Timeout))
	}
	if err := extend(); err != nil {
		return failed(ctx, method, err)
	}
	text, err := json.Marshal(map[string]any{"method": allocator + method, "more": more, "parameters": parameters})
	if err != nil {
		return err
	}
	if _, err := c.Write(append(text, 0)); err != nil {
		return failed(ctx, method, err)
	}
	for {
		message, err := c.receive()
		var own *Error
		if errors.As(err, &own) {
			return own
		} else if err != nil {
			return failed(ctx, method, err)
		}
		var reply struct {
			Error      string
			Parameters json.RawMessage
			Continues  bool
		}
		if err := json.Unmarshal(message, &reply); err != nil {
			return &Error{Code: "UnexpectedReply", Reason: "a reply cannot be read", Err: err}
		}
		if len(reply.Parameters) == 0 {
			// No parameters are the same as null or {}.
			reply.Parameters = json.RawMessage("{}")
		}
		if reply.Error != "" {
			return errorOf(reply.Error, reply.Parameters)
		}
		var found struct{ Progress json.RawMessage }
		if json.Unmarshal(reply.Parameters, &found) == nil && found.Progress != nil && !bytes.Equal(found.Progress, []byte("null")) {
			err = extend()
		} else {
			err = use(reply.Parameters)
		}
		if err != nil || !reply.Continues {
			return err
		}
	}
}

func errorOf(name string, parameters json.RawMessage) error {
	var found struct{ Field, Reason, Parameter string }
	_ = json.Unmarshal(parameters, &found)
	if code, isOurs := strings.CutPrefix(name, allocator); isOurs {
		return &Error{Code: code, Reason: found.Reason, Field: found.Field}
	}
	if name == "org.varlink.service.InvalidParameter" {
		reason := fmt.Sprintf("the daemon does not take %s, or not with this value", found.Parameter)
		return &Error{Code: "InvalidParameter", Reason: reason, Field: found.Parameter}
	}
	return &Error{Code: "UnexpectedReply", Reason: "the daemon answered with the error " + name}
}

func read(into any) func(json.RawMessage) error {
	return func(text json.RawMessage) error {
		if err := json.Unmarshal(text, into); err != nil {
			return &Error{Code: "UnexpectedReply", Reason: "a reply is not as the interface has it", Err: err}
		}
		return nil
	}
}

// Acquire acquires the user of a unit, or joins the user if it lives already.
func Acquire(ctx context.Context, request Request) (*Lease, error) {
	opened, err := dial(ctx, request.Path)
	if err != nil {
		return nil, err
	}
	lease := &Lease{path: request.Path}
	if err := opened.call(ctx, "Acquire", request, true, read(lease)); err != nil {
		_ = opened.Close()
		return nil, err
	}
	if lease.ID == "" || !lease.isPlausible() {
		_ = opened.Close()
		return nil, &Error{Code: "UnexpectedReply", Reason: "the answer has no user"}
	}
	if request.Lifetime != "" && request.Lifetime != "connection" {
		return lease, opened.Close()
	}
	lease.connection = opened
	return lease, opened.SetDeadline(time.Time{})
}

// isPlausible keeps an answer without a UID from being taken for root.
func (l *Lease) isPlausible() bool {
	return l.UserName == "root" || l.UID != 0
}

// Claim takes a lease of lifetime "connection" back from a daemon that has been started again, within some seconds.
func (l *Lease) Claim(ctx context.Context) error {
	opened, err := dial(ctx, l.path)
	if err != nil {
		return err
	}
	var found Lease
	if err := opened.call(ctx, "Claim", map[string]string{"lease": l.ID}, false, read(&found)); err != nil {
		_ = opened.Close()
		return err
	}
	if found.UID != l.UID {
		_ = opened.Close()
		return &Error{Code: "UnexpectedReply", Reason: fmt.Sprintf("the lease had the UID %d before", l.UID)}
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if l.connection != nil {
		_ = l.connection.Close()
	}
	l.connection = opened
	return opened.SetDeadline(time.Time{})
}

// Release ends the lease, and returns when nothing is left of the user, or with what keeps its UID reserved, in words.
func (l *Lease) Release(ctx context.Context) (remains string, err error) {
	l.mutex.Lock()
	opened := l.connection
	l.connection = nil
	l.mutex.Unlock()
	if opened == nil {
		return Release(ctx, l.ID, l.path)
	}
	defer opened.Close()
	return opened.release(ctx, l.ID)
}

func (c *connection) release(ctx context.Context, id string) (string, error) {
	var found struct{ Remains string }
	err := c.call(ctx, "Release", map[string]string{"lease": id}, false, read(&found))
	return found.Remains, err
}

// Release ends a lease by its id. path: of the daemon's socket; "": the usual one.
func Release(ctx context.Context, id, path string) (remains string, err error) {
	opened, err := dial(ctx, path)
	if err != nil {
		return "", err
	}
	defer opened.Close()
	return opened.release(ctx, id)
}

// Held is a live lease of the host.
type Held struct {
	ID        string `json:"lease"`
	UID       uint32 `json:"uid"`
	GID       uint32 `json:"gid"`
	UserName  string `json:"userName"`
	Unit      string `json:"unit"`
	Lifetime  string `json:"lifetime"`
	Dynamic   bool   `json:"dynamic"`
	PID       int    `json:"pid"`
	SinceUsec int64  `json:"since"`
}

// List tells of the live leases of the host. path: of the daemon's socket; "": the usual one.
func List(ctx context.Context, path string) ([]Held, error) {
	opened, err := dial(ctx, path)
	if err != nil {
		return nil, err
	}
	defer opened.Close()
	var all []Held
	err = opened.call(ctx, "List", map[string]any{}, true, func(text json.RawMessage) error {
		var found struct{ Lease *Held }
		if err := read(&found)(text); err != nil || found.Lease == nil {
			return err
		}
		all = append(all, *found.Lease)
		return nil
	})
	return all, err
}

// Apply makes a command run as the user, without the groups of this process. What it needs of an environment is added.
func (l *Lease) Apply(command *exec.Cmd) {
	if command.SysProcAttr == nil {
		command.SysProcAttr = &syscall.SysProcAttr{}
	}
	command.SysProcAttr.Credential = &syscall.Credential{Uid: l.UID, Gid: l.GID, Groups: []uint32{}}
	if command.Env == nil {
		command.Env = os.Environ()
	}
	command.Env = append(command.Env, "USER="+l.UserName, "LOGNAME="+l.UserName, "HOME=/")
	for name, value := range l.Environment {
		command.Env = append(command.Env, name+"="+value)
	}
	if command.Dir == "" {
		command.Dir = "/"
	}
}
