# One line for each disk that is mounted, as an item of the result.
#
# df's own words, without the file systems that hold no files of anybody.

lines=$(df -P -x tmpfs -x devtmpfs -x overlay 2>/dev/null || df -P)
count=$(printf '%s\n' "$lines" | wc -l)
number=0

printf '%s\n' "$lines" | {
    while read -r device _ _ _ share place; do
        number=$((number + 1))
        # The first line names the columns.
        [ "$number" -gt 1 ] || continue
        echo "$place is $share full ($device)"
        emit "$place: $share"
        progress $((number * 100 / (count + 1))) "$place"
    done
}
