# The tests of JUnit files that failed, one a line, each with a line that says why. What a log ends with is what is read first, so
# both are short: of a comparison the values that differ.
function attribute(name) {
  match($0, " " name "=\"[^\"]*\"")
  return substr($0, RSTART + length(name) + 3, RLENGTH - length(name) - 4)
}
function plain(text) {
  gsub(/\033\[[0-9;]*m/, "", text)
  gsub(/&lt;/, "<", text)
  gsub(/&gt;/, ">", text)
  gsub(/&quot;/, "\"", text)
  gsub(/&apos;/, "'", text)
  gsub(/&amp;/, "\\&", text)
  return text
}
/<testcase / { test = attribute("name") " (" attribute("classname") ")" }
match($0, /<(failure|error) message="/) {
  print "FAILED: " plain(test)
  $0 = substr($0, RSTART + RLENGTH)
  inside = 1
  why = ""
}
inside {
  ends = match($0, /"\/?>/)
  line = plain(ends ? substr($0, 1, RSTART - 1) : $0)
  gsub(/^[ +]+|[ ]+$/, "", line)
  if (line !~ /^(\[|\]|Values are not equal\.|\[Diff\].*|)$/) why = why (why == "" ? "" : " | ") substr(line, 1, 300)
  if (ends) {
    if (why !~ /^[0-9]+ test steps? failed$/) print "    " substr(why, 1, 900)
    inside = 0
  }
}
