# zsh_ask.zsh FOLDER: types each line of the file `asked` into an interactive zsh, presses Tab, and
# prints what was offered, a line each. Part of completions_test.py.
zmodload zsh/zpty
cat >rc <<'END'
PROMPT=''
unsetopt beep
fpath=($FOLDER $fpath)
autoload -Uz compinit
compinit -u -D
# Add nothing: write down the matches (compadd -O) of each group.
compadd() {
  local -a matches
  builtin compadd -O matches "$@"
  print -rn -- "$matches " >>offered
  builtin compadd "$@"
}
ask() { : >offered; zle list-choices; print -r -- ASKED-$HISTNO-DONE >>log; }
zle -N ask
bindkey '^X^A' ask
unsetopt list_beep always_list_prompt
LISTMAX=10000
END
export FOLDER=$1
zpty -b asker 'ZDOTDIR=/nonexistent zsh -f -i'
zpty -w asker "source ./rc; print -r READY"
integer tries=0
local line
: >log
until [[ -s ready ]] || (( ++tries > 100 )); do
  (( tries == 1 )) && zpty -w asker 'print yes >ready'
  sleep 0.1
  zpty -rt asker line
done
local question
integer count=0
while IFS= read -r question; do
  : >log
  zpty -wn asker "$question"$'\C-x\C-a'
  tries=0
  until [[ -s log ]] || (( ++tries > 500 )); do
    zpty -rt asker line
    sleep 0.01
  done
  print -r -- ${$(<offered)}
  zpty -wn asker $'\C-u'
done <asked
zpty -d asker
