// Drives clients/go/dynuser.go for a test: what it prints is compared.
package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"example/dynuser"
)

func refused(err error) string {
	if found, is := err.(*dynuser.Error); is {
		return found.Code + " " + found.Field
	}
	return fmt.Sprint("done ", err)
}

func check(err error) {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
}

func main() {
	ctx := context.Background()
	input := bufio.NewReader(os.Stdin)
	web, err := dynuser.Acquire(ctx, dynuser.Request{Unit: "web", RuntimeDirectory: []string{"web"}})
	check(err)
	fmt.Println(web.UserName, web.UID == web.GID, web.Directories[0].PublicPath, web.Environment["RUNTIME_DIRECTORY"])
	command := exec.Command("sh", "-c", `test "$(id -un) $(id -G)" = "web $(id -u)" && touch $RUNTIME_DIRECTORY/mine`)
	web.Apply(command)
	check(command.Run())
	all, err := dynuser.List(ctx, "")
	check(err)
	fmt.Println(len(all), all[0].UserName, all[0].Lifetime)
	left := exec.Command("sleep", "1000")
	web.Apply(left)
	check(left.Start())
	remains, err := web.Release(ctx)
	check(err)
	fmt.Printf("%q %v\n", remains, left.Wait())

	_, err = dynuser.Acquire(ctx, dynuser.Request{Unit: "no/name"})
	fmt.Println(refused(err), dynuser.IsCode(err, "InvalidName"))
	_, err = dynuser.Release(ctx, "00000000000000000000000000000000", "")
	fmt.Println(refused(err))
	_, err = dynuser.Acquire(ctx, dynuser.Request{Unit: "web", Path: "/nowhere"})
	fmt.Println(refused(err))
	short, cancel := context.WithCancel(ctx)
	cancel()
	_, err = dynuser.Acquire(short, dynuser.Request{Unit: "web"})
	fmt.Println(refused(err))

	kept, err := dynuser.Acquire(ctx, dynuser.Request{Unit: "kept"})
	check(err)
	fmt.Println("restart", kept.UID)
	_, _ = input.ReadString('\n')
	_, _ = input.ReadString('\n')
	check(kept.Claim(ctx))
	all, err = dynuser.List(ctx, "")
	check(err)
	fmt.Println(len(all) == 1 && all[0].UID == kept.UID)
	_, err = kept.Release(ctx)
	fmt.Println(err)

	_, err = dynuser.Acquire(ctx, dynuser.Request{Unit: "left"})
	check(err)
	time.Sleep(time.Millisecond)
}
