// Checks a ledger's files (C2SP tlog-tiles) with nothing of the program that wrote them: the Go
// toolchain's own golang.org/x/mod/sumdb/tlog and note. Usage: ledger FOLDER [FLIPS]. FOLDER holds
// one ledger, or all of them as `fairhold export ledger FOLDER --all` writes them. A line of FLIPS
// is NAME BYTE BIT, and with that bit of that file changed the same check must refuse.
//
// What is remembered between checks are results of pure functions, by the whole of what they were
// given: files that did not change are not hashed again, a changed one always is.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// files are those below a folder, one of them changed in memory if so wished.
type files struct {
	folder   string
	changed  map[string][]byte
	kept     map[string][]byte
	bundles  map[string]*bundle
	openings map[string]tlog.Tree
}

func (f *files) read(name string) ([]byte, error) {
	if data, ok := f.changed[name]; ok {
		return data, nil
	}
	if data, ok := f.kept[name]; ok {
		return data, nil
	}
	data, err := os.ReadFile(filepath.Join(f.folder, name))
	if err == nil {
		f.kept[name] = data
	}
	return data, err
}

// ledger is one at a place below files.
type ledger struct {
	*files
	at     string
	origin string
	tree   tlog.Tree
}

func (l *ledger) read(name string) ([]byte, error) { return l.files.read(l.at + name) }

// path is C2SP's: Go's own spells the tile's height as well.
func path(level string, n int64, width int) string {
	text := fmt.Sprintf("%03d", n%1000)
	for n /= 1000; n > 0; n /= 1000 {
		text = fmt.Sprintf("x%03d/%s", n%1000, text)
	}
	if width < 256 {
		return fmt.Sprintf("tile/%s/%s.p/%d", level, text, width)
	}
	return fmt.Sprintf("tile/%s/%s", level, text)
}

func (l *ledger) tile(t tlog.Tile) ([]byte, error) {
	return l.read(path(strconv.Itoa(t.L), t.N, t.W))
}

// Height, ReadTiles and SaveTiles make the files a tlog.TileReader, which believes no tile that
// does not hash to the root.
func (l *ledger) Height() int { return 8 }

func (l *ledger) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, t := range tiles {
		data, err := l.tile(t)
		if err != nil {
			return nil, err
		}
		if len(data) != t.W*tlog.HashSize {
			return nil, fmt.Errorf("%v: %d bytes", t, len(data))
		}
		all = append(all, data)
	}
	return all, nil
}

func (l *ledger) SaveTiles([]tlog.Tile, [][]byte) {}

// strict refuses base64 with loose bits at its end, which package note reads over.
func strict(text string) error {
	for _, line := range strings.Split(text, "\n") {
		words := strings.Split(line, " ")
		last := words[len(words)-1]
		if strings.HasPrefix(line, "\u2014 ") {
			if _, err := base64.StdEncoding.Strict().DecodeString(last); err != nil {
				return err
			}
		}
	}
	return nil
}

// open gives the tree of a checkpoint that the log's key signed under this origin: the log's own,
// or one of its ledgers'.
func (f *files) open(data []byte, origin string) (tlog.Tree, error) {
	vkey, err := f.read("log.vkey")
	if err != nil {
		return tlog.Tree{}, err
	}
	asked := strings.Join([]string{string(vkey), origin, string(data)}, "\x00")
	if tree, ok := f.openings[asked]; ok {
		return tree, nil
	}
	tree, err := open(data, string(vkey), origin)
	if err == nil {
		f.openings[asked] = tree
	}
	return tree, err
}

func open(data []byte, vkey, origin string) (tlog.Tree, error) {
	var tree tlog.Tree
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, err
	}
	if origin != verifier.Name() {
		if !strings.HasPrefix(origin, verifier.Name()+"/") {
			return tree, errors.New("another log")
		}
		// The same key under the ledger's name.
		key, err := base64.StdEncoding.DecodeString(strings.SplitN(vkey, "+", 3)[2])
		if err != nil {
			return tree, err
		}
		id := sha256.Sum256(append([]byte(origin+"\n"), key...))
		own := fmt.Sprintf("%s+%x+%s", origin, id[:4], base64.StdEncoding.EncodeToString(key))
		if verifier, err = note.NewVerifier(own); err != nil {
			return tree, err
		}
	}
	if err := strict(string(data)); err != nil {
		return tree, err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tree, err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || len(opened.UnverifiedSigs) != 0 || lines[0] != opened.Sigs[0].Name {
		return tree, errors.New("not a checkpoint of this log alone")
	}
	tree.N, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tree, err
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, err
}

// bundle is what a bundle of entries hashes to: the nodes of the tree over them alone, in the
// order of package tlog, and their tile.
type bundle struct {
	entries [][]byte
	stored  []tlog.Hash
	tile    []byte
}

func (b *bundle) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, n := range indexes {
		if n >= int64(len(b.stored)) {
			return nil, errors.New("a node beyond the bundle")
		}
		found = append(found, b.stored[n])
	}
	return found, nil
}

func hashed(data []byte, width int) (*bundle, error) {
	b := &bundle{}
	for rest := data; len(rest) > 0; {
		if len(rest) < 2 || len(rest) < 2+int(binary.BigEndian.Uint16(rest)) {
			return nil, errors.New("an entry is cut short")
		}
		end := 2 + int(binary.BigEndian.Uint16(rest))
		b.entries, rest = append(b.entries, rest[2:end]), rest[end:]
	}
	if len(b.entries) != width {
		return nil, fmt.Errorf("%d entries, not %d", len(b.entries), width)
	}
	for n, entry := range b.entries {
		more, err := tlog.StoredHashes(int64(n), entry, b)
		if err != nil {
			return nil, err
		}
		b.stored = append(b.stored, more...)
	}
	var err error
	b.tile, err = tlog.ReadTileData(tlog.Tile{H: 8, L: 0, N: 0, W: width}, b)
	return b, err
}

func (l *ledger) bundle(n int64) (*bundle, error) {
	width := int(min(256, l.tree.N-n*256))
	data, err := l.read(path("entries", n, width))
	if err != nil {
		return nil, err
	}
	given := strconv.Itoa(width) + "\x00" + string(data)
	if b, ok := l.bundles[given]; ok {
		return b, nil
	}
	b, err := hashed(data, width)
	if err == nil {
		l.bundles[given] = b
	}
	return b, err
}

// nodes are those of the whole tree: within a bundle the bundle's, above them computed once more.
type nodes struct {
	bundles []*bundle
	above   [][]tlog.Hash // from level 8 on
}

func (n *nodes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	var found []tlog.Hash
	for _, index := range indexes {
		level, place := tlog.SplitStoredHashIndex(index)
		var one tlog.Hash
		if level < 8 {
			part := n.bundles[place>>(8-level)]
			inside, err := part.ReadHashes([]int64{tlog.StoredHashIndex(level, place&(1<<(8-level)-1))})
			if err != nil {
				return nil, err
			}
			one = inside[0]
		} else {
			one = n.above[level-8][place]
		}
		found = append(found, one)
	}
	return found, nil
}

func (l *ledger) nodes() (*nodes, error) {
	n := &nodes{}
	var row []tlog.Hash
	for at := int64(0); at*256 < l.tree.N; at++ {
		b, err := l.bundle(at)
		if err != nil {
			return nil, err
		}
		n.bundles = append(n.bundles, b)
		if len(b.entries) == 256 {
			row = append(row, b.stored[tlog.StoredHashIndex(8, 0)])
		}
	}
	for len(row) > 0 {
		n.above = append(n.above, row)
		var next []tlog.Hash
		for at := 0; at+1 < len(row); at += 2 {
			next = append(next, tlog.NodeHash(row[at], row[at+1]))
		}
		row = next
	}
	return n, nil
}

// ledger opens the one at a place and holds every entry and every tile against its checkpoint.
func (f *files) ledger(at, origin string) (*ledger, int, error) {
	l := &ledger{files: f, at: at, origin: origin}
	signed, err := l.read("checkpoint")
	if err != nil {
		return nil, 0, err
	}
	if l.tree, err = f.open(signed, origin); err != nil {
		return nil, 0, err
	}
	nodes, err := l.nodes()
	if err != nil {
		return nil, 0, err
	}
	root, err := tlog.TreeHash(l.tree.N, nodes)
	if err != nil {
		return nil, 0, err
	}
	if root != l.tree.Hash {
		return nil, 0, errors.New("the entries do not hash to the checkpoint's root")
	}
	tiles := tlog.NewTiles(8, 0, l.tree.N)
	for _, t := range tiles {
		var want []byte
		if t.L == 0 {
			want = nodes.bundles[t.N].tile
		} else if want, err = tlog.ReadTileData(t, nodes); err != nil {
			return nil, 0, err
		}
		if got, err := l.tile(t); err != nil || !bytes.Equal(got, want) {
			return nil, 0, fmt.Errorf("%v is not what the entries hash to: %v", t, err)
		}
	}
	return l, len(tiles), nil
}

func (l *ledger) entry(index int64) ([]byte, error) {
	b, err := l.bundle(index / 256)
	if err != nil {
		return nil, err
	}
	return b.entries[index%256], nil
}

func (f *files) log() (string, error) {
	vkey, err := f.read("log.vkey")
	name, _, _ := strings.Cut(string(vkey), "+")
	return name, err
}

func (f *files) check() (string, error) {
	if _, err := os.Stat(filepath.Join(f.folder, "log")); err == nil {
		return f.export()
	}
	name, err := f.log()
	if err != nil {
		return "", err
	}
	l, tiles, err := f.ledger("", name)
	if err != nil {
		return "", err
	}
	proofs, err := l.inclusion()
	if err != nil {
		return "", err
	}
	earlier, err := l.consistency()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("ok: %d entries, %d tiles, %d inclusion proofs, %d consistency proofs", l.tree.N, tiles, proofs, earlier), nil
}

// export checks every ledger, and that each is the last that the root log states of it.
func (f *files) export() (string, error) {
	log, err := f.log()
	if err != nil {
		return "", err
	}
	root, tiles, err := f.ledger("log/", log)
	if err != nil {
		return "", err
	}
	stated := map[string]string{}
	for n := int64(0); n < root.tree.N; n++ {
		body, err := root.entry(n)
		if err != nil {
			return "", err
		}
		origin, _, _ := strings.Cut(string(body), "\n")
		stated[origin] = string(body)
	}
	places := map[string]string{}
	if _, err := os.Stat(filepath.Join(f.folder, "house")); err == nil {
		places["house/"] = "fairhold house\x00"
	}
	accounts, err := os.ReadDir(filepath.Join(f.folder, "ledgers"))
	if err != nil {
		return "", err
	}
	for _, account := range accounts {
		name, err := url.PathUnescape(account.Name())
		if err != nil {
			return "", err
		}
		places["ledgers/"+account.Name()+"/"] = "fairhold account\x00" + name
	}
	count := int64(0)
	for place, whose := range places {
		digest := sha256.Sum256([]byte(whose))
		l, more, err := f.ledger(place, log+"/"+hex.EncodeToString(digest[:16]))
		if err != nil {
			return "", fmt.Errorf("%s: %w", place, err)
		}
		tiles, count = tiles+more, count+l.tree.N
		signed, err := l.read("checkpoint")
		if err != nil {
			return "", err
		}
		if body, _, _ := strings.Cut(string(signed), "\n\n"); stated[l.origin] != body+"\n" {
			return "", fmt.Errorf("%s: the root log does not end with this checkpoint", place)
		}
	}
	if len(stated) != len(places) {
		return "", errors.New("a ledger is missing")
	}
	return fmt.Sprintf("ok: %d ledgers of %d entries under a root log of %d, %d tiles", len(places), count, root.tree.N, tiles), nil
}

func (l *ledger) inclusion() (int, error) {
	tree := l.tree
	names, err := filepath.Glob(filepath.Join(l.folder, l.at, "proofs/*.tlog-proof"))
	if err != nil {
		return 0, err
	}
	// Hashes out of tiles, each authenticated against the root.
	tiles := tlog.TileHashReader(tree, l)
	for _, name := range names {
		name = filepath.Base(name)
		data, err := l.read("proofs/" + name)
		if err != nil {
			return 0, err
		}
		head, signed, found := strings.Cut(string(data), "\n\n")
		lines := strings.Split(head, "\n")
		index, err := strconv.ParseInt(strings.TrimSuffix(name, ".tlog-proof"), 10, 64)
		if err != nil || !found || len(lines) < 2 || lines[0] != "c2sp.org/tlog-proof@v1" || lines[1] != fmt.Sprintf("index %d", index) {
			return 0, fmt.Errorf("%s: not a proof of its place", name)
		}
		under, err := l.open([]byte(signed), l.origin)
		if err != nil || under != tree || index >= tree.N {
			return 0, fmt.Errorf("%s: another checkpoint: %v", name, err)
		}
		var proof tlog.RecordProof
		for _, line := range lines[2:] {
			bare, err := base64.StdEncoding.Strict().DecodeString(line)
			if err != nil || len(bare) != tlog.HashSize {
				return 0, fmt.Errorf("%s: not a hash: %v", name, err)
			}
			proof = append(proof, tlog.Hash(bare))
		}
		entry, err := l.entry(index)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
		own, err := tlog.ProveRecord(tree.N, index, tiles)
		if err != nil {
			return 0, err
		}
		if err := tlog.CheckRecord(own, tree.N, tree.Hash, index, tlog.RecordHash(entry)); err != nil {
			return 0, fmt.Errorf("%s: out of tiles: %w", name, err)
		}
	}
	return len(names), nil
}

func (l *ledger) consistency() (int, error) {
	tree := l.tree
	names, err := filepath.Glob(filepath.Join(l.folder, l.at, "earlier/*.checkpoint"))
	if err != nil {
		return 0, err
	}
	for _, name := range names {
		name = strings.TrimSuffix(filepath.Base(name), ".checkpoint")
		signed, err := l.read("earlier/" + name + ".checkpoint")
		if err != nil {
			return 0, err
		}
		old, err := l.open(signed, l.origin)
		if err != nil {
			return 0, err
		}
		data, err := l.read("earlier/" + name + ".hashes")
		if err != nil {
			return 0, err
		}
		text, whole := strings.CutSuffix(string(data), "\n")
		if !whole {
			return 0, fmt.Errorf("%s: the last line does not end", name)
		}
		var proof tlog.TreeProof
		for _, line := range strings.Split(text, "\n") {
			bare, err := hex.DecodeString(line)
			if err != nil || len(bare) != tlog.HashSize || hex.EncodeToString(bare) != line {
				return 0, fmt.Errorf("%s: not a hash: %v", name, err)
			}
			proof = append(proof, tlog.Hash(bare))
		}
		if err := tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash); err != nil {
			return 0, fmt.Errorf("%s: %w", name, err)
		}
	}
	return len(names), nil
}

func (f *files) flips(text string) error {
	made, refused := 0, 0
	for _, line := range strings.Split(strings.TrimSpace(text), "\n") {
		var name string
		var at, bit int
		if _, err := fmt.Sscanf(line, "%s %d %d", &name, &at, &bit); err != nil {
			return err
		}
		f.changed = nil
		data, err := f.read(name)
		if err != nil {
			return err
		}
		data = bytes.Clone(data)
		data[at] ^= 1 << bit
		f.changed = map[string][]byte{name: data}
		made++
		if _, err := f.check(); err != nil {
			refused++
		} else {
			fmt.Fprintln(os.Stderr, "passed:", line)
		}
	}
	if made != refused || made == 0 {
		return fmt.Errorf("refused only %d of %d flips", refused, made)
	}
	fmt.Printf("refused %d of %d flips\n", refused, made)
	return nil
}

func main() {
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: ledger FOLDER [FLIPS]")
		os.Exit(2)
	}
	f := &files{folder: os.Args[1], kept: map[string][]byte{}, bundles: map[string]*bundle{}, openings: map[string]tlog.Tree{}}
	told, err := f.check()
	if err == nil {
		fmt.Println(told)
	}
	if err == nil && len(os.Args) > 2 {
		var text []byte
		if text, err = os.ReadFile(os.Args[2]); err == nil {
			err = f.flips(string(text))
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
