// Looks users and groups up as programs of Go do: built with osusergo, or without cgo, it reads /etc/passwd and /etc/group alone.
package main

import (
	"fmt"
	"os"
	"os/user"
)

func main() {
	for _, name := range os.Args[1:] {
		if found, err := user.Lookup(name); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println(found.Username, found.Uid, found.Gid, found.HomeDir)
		}
		if found, err := user.LookupGroup(name); err != nil {
			fmt.Println(err)
		} else {
			fmt.Println(found.Name, found.Gid)
		}
	}
	self, err := user.Current()
	fmt.Println(self.Username, err)
}
