def playground(): pass
class Playground: pass
