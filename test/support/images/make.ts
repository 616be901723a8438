/** Disk images for tests, made in a machine. */

/** Where they are. Each machine sees the loop devices of all of them on the host, and knows its own by this path. */
export const IMAGES = `/srv/images-${process.pid}`;

/**
 * A shell script: roots of glibc and of musl as directories, and images of them by all file systems.
 * @param programs a musl program, dynamic, and a static one: they look users up
 */
export function makeRoots(programs?: { readonly musl: string; readonly static: string }): string {
  return `
    mkdir -p ${IMAGES} && cd ${IMAGES}
    mkdir -p glibc/usr/bin glibc/usr/lib glibc/usr/lib64 glibc/etc glibc/opt
    for directory in proc sys dev run tmp var/tmp var/lib/web; do mkdir -p "glibc/$directory"; done
    for name in bin lib lib64; do ln -s "usr/$name" "glibc/$name"; done
    for program in sh cat ls touch sleep; do
      file=$(readlink -f "/usr/bin/$program")
      cp "$file" "glibc/usr/bin/$program"
      ldd "$file" | grep -o '/[^ ]*' | while read -r library; do
        path=glibc/usr/\${library#/usr}
        mkdir -p "\${path%/*}" && cp -Lu "$library" "$path"
      done
    done
    printf 'ID=tested\\nVERSION_ID=1\\n' >glibc/etc/os-release
    ${
      programs === undefined
        ? ''
        : `mkdir -p musl/bin musl/lib musl/etc musl/var/tmp
    for directory in proc sys dev run tmp; do mkdir "musl/$directory"; done
    ln -s /run musl/var/run
    cp /etc/passwd /etc/group musl/etc/
    cp ${programs.musl} musl/bin/look-up
    cp ${programs.static} musl/bin/look-up-static
    cp "$(readlink -f /lib/ld-musl-*.so.1)" "musl/lib/$(basename /lib/ld-musl-*.so.1)"
    mksquashfs musl musl.squashfs -quiet -no-progress >/dev/null`
    }
    mksquashfs glibc glibc.squashfs -quiet -no-progress >/dev/null
    ! command -v mkfs.erofs >/dev/null || mkfs.erofs --quiet glibc.erofs glibc >/dev/null 2>&1
    truncate -s 48M glibc.ext4 && mkfs.ext4 -q -d glibc glibc.ext4`;
}

/** The devices that systemd needs of a machine to mount images: it has none by itself. */
export const LOOP_DEVICES = `mknod /dev/loop-control c 10 237
  for number in $(seq 0 31); do mknod "/dev/loop$number" b 7 "$number"; done`;

/** Prints the images that loop devices are attached to. */
export const ATTACHED = `cat /sys/block/loop*/loop/backing_file 2>/dev/null | grep -F ${IMAGES}/ || true`;
